import { CodedError } from "@workspace/shared-config";
import { findStatus, stopServer } from "../attachment.ts";
import type { StateDirectory } from "../state-directory.ts";

/**
 * Ends the server of a state, and forgets the state.
 * @throws CodedError `E_LOCAL_AWS_IN_USE` while a command is attached, `E_STATE_IN_USE` while a server has the state
 * that isn't found by its port, `E_STATE_FOLDER`
 */
export async function reset(state: StateDirectory): Promise<void> {
  const endpoint = findEndpoint(state);
  const status = endpoint && (await findStatus(endpoint, state.path));
  if (status && status.attachments > 0) {
    throw new CodedError({
      code: "E_LOCAL_AWS_IN_USE",
      what: "commands are attached to this local AWS",
      value: status.attachments,
      remedy: "Let them end, then reset.",
    });
  }
  if (status) await stopServer(endpoint);
  await state.lock();
  state.remove();
}

/** A port that can't be read is among what is forgotten. */
function findEndpoint(state: StateDirectory): string | undefined {
  try {
    return state.readEndpoint();
  } catch (error) {
    if (error instanceof CodedError && error.code === "E_STATE_CORRUPT") return undefined;
    throw error;
  }
}
