import { CodedError } from "@workspace/shared-config";
import { findStatus, stopServer } from "../attachment.ts";
import type { StateDirectory } from "../state-directory.ts";

/**
 * Ends the server of a state, and forgets the state.
 * @throws CodedError `E_LOCAL_AWS_IN_USE` while a command is attached
 */
export async function reset(state: StateDirectory): Promise<void> {
  const endpoint = state.readEndpoint();
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
  state.remove();
}
