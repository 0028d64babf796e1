/** One entry for an app, on one line or, as `nx sync` writes it, on three. */
const appEntry = /\{\s*"path": "\.\/apps\/[^"]+"\s*\}/g;

/**
 * Adds a project to the `references` of the root's tsconfig.json, after the other apps, and leaves the rest
 * of the text as it is.
 *
 * @param {string} source the file
 * @param {string} path `./apps/payments`
 * @returns {string}
 * @throws {Error} where no app is referenced
 */
function addReference(source, path) {
  const last = [...source.matchAll(appEntry)].at(-1);
  if (last === undefined) {
    throw new Error(
      `E_ROOT_REFERENCES: tsconfig.json has no entry such as { "path": "./apps/lambda-app" }. ` +
        `Add { "path": ${JSON.stringify(path)} } to its references by hand.`,
    );
  }
  const [entry] = last;
  const indentation = source.slice(source.lastIndexOf("\n", last.index) + 1, last.index);
  const own = entry.replace(/"\.\/apps\/[^"]+"/, JSON.stringify(path));
  const end = last.index + entry.length;
  return `${source.slice(0, end)},\n${indentation}${own}${source.slice(end)}`;
}

module.exports = { addReference };
