import { ServiceException } from "../service.ts";

export function invalidParameter(message: string): ServiceException {
  return new ServiceException("InvalidParameterValueException", message, 400, { Type: "User" });
}

export function notFound(message: string): ServiceException {
  return new ServiceException("ResourceNotFoundException", message, 404, { Type: "User" });
}

export function conflict(message: string): ServiceException {
  return new ServiceException("ResourceConflictException", message, 409, { Type: "User" });
}

/**
 * Refuses a change whose caller has seen an older state.
 * @param expected what the caller has seen; absent where it does not care
 */
export function checkRevision(expected: string | undefined, current: string): void {
  if (expected === undefined || expected === current) return;
  throw new ServiceException(
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    412,
    { Type: "User" },
  );
}
