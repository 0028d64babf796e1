/** Why a path can't be used: it is not there, it is of another kind, or it may not be touched. */
export const unusablePath = ["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "EACCES", "EPERM", "EROFS"] as const;

/** Whether the file system refused with one of these codes. */
export function isFileError(error: unknown, ...codes: readonly string[]): error is Error {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
