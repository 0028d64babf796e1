import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Why a test that needs these commands can't run here, as a suffix of its name so that the report shows it, or
 * undefined where it can.
 */
export function skipReason(
  commands: readonly string[],
  needs: { readonly root?: boolean } = {},
): string | undefined {
  const missing = commands.filter((command) => !hasCommand(command));
  const reasons = [
    ...(missing.length > 0 ? [`${missing.join(" and ")} not installed`] : []),
    ...(needs.root && process.getuid?.() !== 0 ? ["not run as root"] : []),
  ];
  return reasons.length === 0 ? undefined : ` (skipped: ${reasons.join(", ")})`;
}

function hasCommand(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["ENOENT", "ENOTDIR", "EACCES"].includes(String(error.code))
    )
      return false;
    throw error;
  }
}
