/** A runtime as it is usually written for Bun, and as Bun's own `bun-lambda` is: with fetch. */
const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const { handler } = require(`${process.env.LAMBDA_TASK_ROOT}/app.js`);

for (;;) {
  const next = await fetch(`${base}/next`, { timeout: false } as RequestInit);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const result = await handler(await next.json());
  await fetch(`${base}/${id}/response`, { method: "POST", body: JSON.stringify(result) });
}
