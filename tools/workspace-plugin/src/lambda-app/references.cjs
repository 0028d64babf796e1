/**
 * Adds a project to the `references` of the root's tsconfig.json, after the other apps, and leaves the rest
 * of the text as it is.
 *
 * @param {string} source the file
 * @param {string} path `./apps/payments`
 * @returns {string}
 */
function addReference(source, path) {
  const lines = source.split("\n");
  const last = lines.findLastIndex((line) => /"path": "\.\/apps\/[^"]+"/.test(line));
  if (last === -1) {
    throw new Error(
      `E_ROOT_REFERENCES: tsconfig.json has no line such as { "path": "./apps/lambda-app" }. ` +
        `Add { "path": ${JSON.stringify(path)} } to its references by hand.`,
    );
  }
  const before = lines[last] ?? "";
  const own = before.replace(/"\.\/apps\/[^"]+"/, JSON.stringify(path));
  lines.splice(last, 1, before.endsWith(",") ? before : `${before},`, own);
  return lines.join("\n");
}

module.exports = { addReference };
