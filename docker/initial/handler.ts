import { findHttpEvent, type Handler } from "@workspace/lambda-runtime";

/**
 * Answers for a function before its first release. An HTTP event gets a 503; any other event fails, so that a queue
 * or a stream keeps its messages until there is an app to take them.
 */
export const handler: Handler = (event, { functionName }) => {
  // The name alone doesn't tell where the app's ends and the stage's begins.
  const explanation = `Nothing has been released to ${functionName} (APP-STAGE) yet. Run \`nx run APP:release --stage STAGE\`.`;
  if (findHttpEvent(event) === undefined) throw new Error(explanation);
  return {
    statusCode: 503,
    headers: { "content-type": "text/plain; charset=utf-8", "retry-after": "60" },
    body: `${explanation}\n`,
  };
};
