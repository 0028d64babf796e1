/**
 * On AWS the names are made of it: the longest is the stack `<name>-prod-repository`; a function's name ends
 * at 64 characters, and the parameter's path has room enough.
 */
const maxLength = 40;
const pattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** The parameter's path begins with it, and those that begin so are AWS's own; the last is the stack of `infra:roles`. */
const reserved = /^(aws|ssm)|^deploy-roles$/;

/**
 * @param {string} name
 * @param {readonly string[]} taken the names of the workspace's projects
 * @throws {Error} with a code, the value and what to do
 */
function assertAppName(name, taken) {
  if (!pattern.test(name) || name.length > maxLength) {
    throw new Error(
      `E_APP_NAME: an app's name is lower-case words of letters and digits with a - between them, ` +
        `at most ${maxLength} characters (got ${JSON.stringify(name)}). Choose another, such as payment-events.`,
    );
  }
  if (reserved.test(name)) {
    throw new Error(
      `E_APP_NAME: an app's name can't begin with aws or ssm, nor be deploy-roles ` +
        `(got ${JSON.stringify(name)}). Choose another, such as payment-events.`,
    );
  }
  if (taken.includes(name)) {
    throw new Error(
      `E_APP_EXISTS: a project of that name is there already (got ${JSON.stringify(name)}). Choose another.`,
    );
  }
}

module.exports = { assertAppName };
