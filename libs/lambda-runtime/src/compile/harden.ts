import { CodedError } from "@workspace/shared-config";

/**
 * The environment variables that make a compiled executable run something else than what was compiled: Bun itself,
 * flags such as `--preload`, a debugger, a script. `BUN_INSPECT` stands for all names that begin so.
 *
 * @see https://bun.com/docs/bundler/executables#act-as-the-bun-cli
 */
export const forbiddenVariables = ["BUN_BE_BUN", "BUN_OPTIONS", "BUN_INSPECT"] as const;

/**
 * Takes these variables' names out of a Bun executable: their first letter becomes `=`, which the name of a variable
 * can't hold. Where the names occur in Bun's JavaScript (`process.env.BUN_…`) they stay, since it must still parse; they
 * are of no use there when the executable itself does not know them.
 *
 * @returns a copy
 * @throws CodedError `E_ENGINE_NOT_HARDENED` where a name is nowhere, which means that another Bun needs another look
 */
export function hardenExecutable(executable: Uint8Array): Uint8Array {
  const hardened = Buffer.from(executable);
  for (const name of forbiddenVariables) {
    let found = 0;
    for (let at = hardened.indexOf(name); at >= 0; at = hardened.indexOf(name, at + 1)) {
      if (hardened[at - 1] === ".".charCodeAt(0)) continue;
      hardened.write("=", at);
      found += 1;
    }
    if (found > 0) continue;
    throw new CodedError({
      code: "E_ENGINE_NOT_HARDENED",
      what: "the Bun executable has no such name, so that it can't be taken out",
      value: name,
      remedy:
        "Find out how this Bun reads the variable, and change libs/lambda-runtime/src/compile/harden.ts.",
    });
  }
  return hardened;
}
