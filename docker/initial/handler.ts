import type { Handler } from "@workspace/lambda-runtime";

const explanation = (functionName: string) => {
  const project = functionName.replace(/-[^-]+$/, "");
  return `Nothing has been released to ${functionName} yet. Run \`nx run ${project}:release\`.`;
};

/**
 * Answers for a function before its first release. An HTTP event gets a 503; any other event fails, so that a queue
 * or a stream keeps its messages until there is an app to take them.
 */
export const handler: Handler = (event, { functionName }) => {
  if (!isHttpEvent(event)) throw new Error(explanation(functionName));
  return {
    statusCode: 503,
    headers: { "content-type": "text/plain; charset=utf-8", "retry-after": "60" },
    body: `${explanation(functionName)}\n`,
  };
};

/** Of a function URL, an API Gateway (either version) or a load balancer. */
function isHttpEvent(event: unknown): boolean {
  if (typeof event !== "object" || event === null || !("requestContext" in event)) return false;
  const context = event.requestContext;
  return typeof context === "object" && context !== null && ("http" in context || "httpMethod" in event);
}
