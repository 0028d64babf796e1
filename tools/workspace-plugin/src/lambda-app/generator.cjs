const { execFileSync } = require("node:child_process");
const { join } = require("node:path");
const { generateFiles, getProjects } = require("@nx/devkit");
const { assertAppName } = require("./app-name.cjs");
const { addFunction } = require("./function-table.cjs");
const { addReference } = require("./references.cjs");

const functionTable = "libs/shared-config/src/functions.ts";
const rootReferences = "tsconfig.json";

/**
 * Adds a function: its app, its line in the function table, its reference in the root's tsconfig.json, and
 * its entry in the lock file. Nothing is left to do by hand.
 *
 * @param {import("@nx/devkit").Tree} tree
 * @param {{ name: string }} options
 * @returns what Nx runs once the files are written
 */
function generateLambdaApp(tree, { name }) {
  assertAppName(name, [...getProjects(tree).keys()]);
  generateFiles(tree, join(__dirname, "files"), `apps/${name}`, { name });
  edit(tree, functionTable, (source) => addFunction(source, name));
  edit(tree, rootReferences, (source) => addReference(source, `./apps/${name}`));
  // Without its entry in the lock file, the next `npm ci` would refuse the new package.
  return () => {
    execFileSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: tree.root, stdio: "inherit" });
  };
}

/**
 * @param {import("@nx/devkit").Tree} tree
 * @param {string} path
 * @param {(source: string) => string} change
 */
function edit(tree, path, change) {
  const source = tree.read(path, "utf-8");
  if (source === null) {
    throw new Error(`E_FILE_MISSING: the workspace has no ${path}. Restore it with git.`);
  }
  tree.write(path, change(source));
}

module.exports = generateLambdaApp;
