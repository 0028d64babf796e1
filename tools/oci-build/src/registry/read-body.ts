import { TransientFailure } from "./registry-error.ts";

/**
 * All of an answer's body; a part of one is no answer.
 *
 * @throws TransientFailure where the connection ends before it
 */
export async function readBody(response: Response, action: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new TransientFailure(`the answer to ${action} broke off`, { cause });
  }
}
