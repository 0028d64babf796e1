import type { HandoffClients } from "../clients.ts";

type Client = HandoffClients["ssm" | "lambda"];
type Answer<Input> = (send: () => Promise<object>, input: Input) => Promise<object>;

/**
 * Answers the client's requests of one kind in the place of the service.
 * @param answer may ask the service with `send`, before or after something else happens; what it throws, the service did
 */
export function intercept<Input extends object>(
  client: Client,
  command: new (input: Input) => object,
  answer: Answer<Input>,
): void {
  const send = client.send.bind(client) as (command: object, ...more: unknown[]) => Promise<object>;
  client.send = async (sent: object, ...more: unknown[]) => {
    const pass = () => send(sent, ...more);
    return sent instanceof command && "input" in sent ? answer(pass, sent.input as Input) : pass();
  };
}

/** An error as AWS answers with it. */
export function buildAwsError(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}
