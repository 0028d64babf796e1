/** An error as the SDK throws it: known by its name. */
export function buildAwsError(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}
