import { CodedError } from "@workspace/shared-config";

/** For a file of the state that doesn't hold what this program writes into it. */
export function corruptState(file: string, value?: unknown, cause?: unknown): CodedError {
  return new CodedError({
    code: "E_STATE_CORRUPT",
    what: `${file} is not as the local AWS writes it`,
    value,
    remedy: "Start over: `local-aws reset`.",
    cause,
  });
}

/** For a folder that no state can be kept in, by what the system said. */
export function unusableFolder(directory: string, cause: unknown): CodedError {
  return new CodedError({
    code: "E_STATE_FOLDER",
    what: `no state can be kept there (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`,
    value: directory,
    remedy: "Name a folder that can be written in LOCAL_AWS_STATE.",
    cause,
  });
}
