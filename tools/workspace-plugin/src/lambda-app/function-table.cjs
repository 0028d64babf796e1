const start = "export const functions: Readonly<Record<string, FunctionConfig>> = {\n";
const end = "\n};";

/**
 * Adds a function's line to the table in `libs/shared-config/src/functions.ts`.
 *
 * @param {string} source the file
 * @param {string} name
 * @returns {string} the file with the line
 * @throws {Error} where the table isn't in the form that this knows
 */
function addFunction(source, name) {
  const startsAt = source.indexOf(start);
  const endsAt = startsAt === -1 ? -1 : source.indexOf(end, startsAt + start.length - end.length);
  if (endsAt === -1) {
    throw new Error(
      `E_FUNCTION_TABLE: libs/shared-config/src/functions.ts has no table that starts with ` +
        `${JSON.stringify(start.trim())}. Add the function's line by hand, and bring addFunction up to date.`,
    );
  }
  const key = name.includes("-") ? JSON.stringify(name) : name;
  return `${source.slice(0, endsAt)}\n  ${key}: { architecture: "x86_64" },${source.slice(endsAt)}`;
}

module.exports = { addFunction };
