import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImageProps, openRegistry, type Registry } from "../../testing/push-image.ts";
import { buildRuntimeScript } from "../../testing/runtime-script.ts";
import { startTestServer, type TestServer } from "../../testing/test-server.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { readProcFile } from "./function-process.ts";

let server: TestServer;
let lambda: LambdaClient;
let logs: CloudWatchLogsClient;
let registry: Registry;
beforeAll(async () => {
  server = await startTestServer();
  lambda = new LambdaClient(server.clientConfig);
  logs = new CloudWatchLogsClient(server.clientConfig);
  registry = await openRegistry(server);
  await registry.createRepository("app");
});
afterAll(() => server?.stop());

const waiting = { maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
const Role = "arn:aws:iam::000000000000:role/app-role";

interface Made {
  readonly name: string;
  /** What a call of the function gives. */
  readonly call: (event?: unknown, more?: Partial<InvokeCommandInput>) => Promise<Called>;
}

interface Called {
  readonly result: unknown;
  readonly error?: string;
  readonly version?: string;
  readonly log: string;
}

async function push(handler: string, image: Partial<ImageProps> = {}, init = ""): Promise<string> {
  const tag = randomUUID().slice(0, 8);
  const content = buildRuntimeScript(handler, init);
  await registry.pushImage("app", tag, {
    layers: [[{ name: "runtime", content, mode: 0o755 }]],
    ...image,
    config: { Entrypoint: ["/runtime"], ...image.config },
  });
  return `${server.host}/app:${tag}`;
}

async function create(ImageUri: string, settings: Partial<CreateFunctionCommandInput> = {}): Promise<Made> {
  const FunctionName = `fn-${randomUUID().slice(0, 8)}`;
  const input = {
    FunctionName,
    Role,
    PackageType: "Image",
    Code: { ImageUri },
    Timeout: 60,
    ...settings,
  } as const;
  await lambda.send(new CreateFunctionCommand(input));
  await waitUntilFunctionActiveV2({ client: lambda, ...waiting }, { FunctionName });
  return { name: FunctionName, call: (event, more) => invoke(FunctionName, event, more) };
}

async function invoke(FunctionName: string, event?: unknown, more: Partial<InvokeCommandInput> = {}) {
  const Payload = event === undefined ? undefined : JSON.stringify(event);
  const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload, ...more }));
  const text = answer.Payload?.transformToString() ?? "";
  return {
    result: text === "" ? undefined : JSON.parse(text),
    error: answer.FunctionError,
    version: answer.ExecutedVersion,
    log: Buffer.from(answer.LogResult ?? "", "base64").toString(),
  };
}

describe("a call", () => {
  it("hands the event over and gives the result, from the same process again", async () => {
    const { call } = await create(await push("return { event, pid: process.pid };"));
    const first = await call({ a: "ä" });
    expect(first).toMatchObject({ result: { event: { a: "ä" } }, error: undefined, version: "$LATEST" });
    const second = await call();
    expect(second.result).toEqual({ event: {}, pid: (first.result as { pid: number }).pid });
  });

  it("says for which invocation it is, until when, and through which ARN", async () => {
    const { call, name } = await create(await push("return context.headers;"));
    const before = Date.now();
    const { result } = await call({}, { ClientContext: Buffer.from('{"a":1}').toString("base64") });
    expect(result).toMatchObject({
      "lambda-runtime-invoked-function-arn": `arn:aws:lambda:eu-central-1:000000000000:function:${name}`,
      "lambda-runtime-client-context": '{"a":1}',
      "lambda-runtime-trace-id": expect.stringMatching(
        /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};/,
      ),
    });
    const deadlineMs = Number((result as Record<string, string>)["lambda-runtime-deadline-ms"]);
    expect(deadlineMs).toBeGreaterThanOrEqual(before + 60_000);
    expect(deadlineMs).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  it("at the same time as another has a process of its own", async () => {
    // None answers before all three are there.
    const { call } = await create(
      await push(
        `const { readdirSync, writeFileSync } = require("node:fs");
         writeFileSync(event.folder + "/" + process.pid, "");
         while (readdirSync(event.folder).length < 3) await new Promise((done) => setTimeout(done, 20));
         return process.pid;`,
      ),
    );
    const folder = mkdtempSync(join(server.stateDirectory, "calls-"));
    const pids = await Promise.all([call({ folder }), call({ folder }), call({ folder })]);
    expect(new Set(pids.map(({ result }) => result)).size).toBe(3);
  });

  it("over the limit of calls at once is throttled", async () => {
    const until =
      "while (!require('node:fs').existsSync(event.path)) await new Promise((done) => setTimeout(done, 20));";
    const { name } = await create(await push(`${until} return 1;`));
    const impatient = new LambdaClient({ ...server.clientConfig, maxAttempts: 1 });
    const path = join(server.stateDirectory, "go-on");
    const Payload = JSON.stringify({ path });
    const calls = Array.from({ length: 11 }, () =>
      impatient.send(new InvokeCommand({ FunctionName: name, Payload })),
    );
    await expect(Promise.all(calls)).rejects.toMatchObject({
      name: "TooManyRequestsException",
      Reason: "ConcurrentInvocationLimitExceeded",
    });
    writeFileSync(path, "");
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  });

  it("of what is no JSON, or too much, is refused", async () => {
    const { name } = await create(await push("return 1;"));
    const send = (Payload: string) => lambda.send(new InvokeCommand({ FunctionName: name, Payload }));
    await expect(send("{")).rejects.toMatchObject({ name: "InvalidRequestContentException" });
    await expect(send(`"${"x".repeat(6 * 1024 * 1024)}"`)).rejects.toMatchObject({
      name: "RequestTooLargeException",
      $metadata: { httpStatusCode: 413 },
    });
  });

  it("only tried runs nothing", async () => {
    const { name } = await create(await push("return 1;"));
    const tried = await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: "DryRun" }));
    expect(tried.StatusCode).toBe(204);
  });
});

describe("a process", () => {
  it("finds Lambda's environment and nothing of the server's", async () => {
    const uri = await push("return { env: process.env, cwd: process.cwd(), argv: process.argv.slice(2) };", {
      layers: [
        [
          {
            name: "runtime",
            content: buildRuntimeScript(
              "return { env: process.env, cwd: process.cwd(), argv: process.argv.slice(2) };",
            ),
            mode: 0o755,
          },
          { name: "var/task/", type: "directory", mode: 0o755 },
          { name: "opt/", type: "directory", mode: 0o755 },
        ],
      ],
      config: { Cmd: ["app.handler"], Env: ["FROM_IMAGE=1", "OVERRIDDEN=image"], WorkingDir: "/opt" },
    });
    const { call, name } = await create(uri, {
      MemorySize: 256,
      Environment: { Variables: { OVERRIDDEN: "function" } },
    });
    const { env, cwd, argv } = (await call()).result as {
      env: Record<string, string>;
      cwd: string;
      argv: string[];
    };
    expect(env).toMatchObject({
      FROM_IMAGE: "1",
      OVERRIDDEN: "function",
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_FORMAT: "Text",
      AWS_REGION: "eu-central-1",
      AWS_ENDPOINT_URL: server.endpoint,
      AWS_ACCESS_KEY_ID: "role:app-role",
      AWS_SESSION_TOKEN: "local",
      _HANDLER: "app.handler",
      LAMBDA_TASK_ROOT: expect.stringMatching(/\/var\/task$/),
    });
    expect(env).not.toHaveProperty("HOME");
    expect(argv).toEqual(["app.handler"]);
    expect(cwd).toBe(env.LAMBDA_TASK_ROOT?.replace("/var/task", "/opt"));
  });

  it("does what the function says instead of its image", async () => {
    const content = buildRuntimeScript("return process.argv.slice(2);");
    const uri = await push("", {
      layers: [[{ name: "bin/other", content, mode: 0o755 }]],
      config: { Entrypoint: ["/none"], Cmd: ["image"] },
    });
    const ImageConfig = { EntryPoint: ["/bin/other", "first"], Command: ["second"] };
    expect((await (await create(uri, { ImageConfig })).call()).result).toEqual(["first", "second"]);
  });

  it("ends when its code is replaced, its function deleted, or the server stopped", async () => {
    const uri = await push("return process.pid;");
    const isGone = (pid: unknown) =>
      waitUntil(async () => (readProcFile(Number(pid), "status") === undefined ? true : undefined));
    const { name, call } = await create(uri);
    const first = (await call()).result;
    await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: await push("return 'new';") }),
    );
    await waitUntilFunctionUpdatedV2({ client: lambda, ...waiting }, { FunctionName: name });
    expect((await call()).result).toBe("new");
    await isGone(first);
    const other = await create(uri);
    const second = (await other.call()).result;
    await lambda.send(new DeleteFunctionCommand({ FunctionName: other.name }));
    await isGone(second);
    const third = (await (await create(uri)).call()).result;
    await server.restart();
    expect(readProcFile(Number(third), "status")).toBeUndefined();
  });
});

describe("a failure", () => {
  it("of the handler is the function's error, and the process goes on", async () => {
    const { call } = await create(
      await push("if (event.fail) throw new TypeError('no good'); return process.pid;"),
    );
    const { result: pid } = await call({});
    expect(await call({ fail: true })).toMatchObject({
      error: "Unhandled",
      result: { errorType: "TypeError", errorMessage: "no good" },
    });
    expect((await call({})).result).toBe(pid);
  });

  it("at the start is what the runtime says of it", async () => {
    const { call } = await create(await push("", {}, "throw new SyntaxError('bad module');"));
    expect(await call()).toMatchObject({
      error: "Unhandled",
      result: { errorType: "SyntaxError", errorMessage: "bad module" },
    });
  });

  it("that ends the process is reported, and the next call has a new one", async () => {
    const { call } = await create(
      await push("if (event.exit !== undefined) process.exit(event.exit); return 'alive';"),
    );
    expect(await call({ exit: 3 })).toMatchObject({
      error: "Unhandled",
      result: {
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(
          /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3$/,
        ),
      },
    });
    expect(await call({ exit: 0 })).toMatchObject({
      result: { errorMessage: expect.stringContaining("Runtime exited without providing a reason") },
    });
    expect((await call({})).result).toBe("alive");
  });

  it("to end in time is reported, and ends the process", async () => {
    const { call } = await create(
      await push("if (event.hang) await new Promise(() => setInterval(() => {}, 1000)); return process.pid;"),
      {
        Timeout: 5,
      },
    );
    const { result: pid } = await call({});
    expect(await call({ hang: true }, { LogType: "Tail" })).toMatchObject({
      error: "Unhandled",
      result: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringMatching(/Task timed out after 5\.00 seconds$/),
      },
      log: expect.stringContaining("Status: timeout"),
    });
    await waitUntil(async () => (readProcFile(Number(pid), "status") === undefined ? true : undefined));
  });

  it("to answer with less than six megabytes is reported on the call that it is of", async () => {
    const { call } = await create(await push("return event.big ? 'x'.repeat(6_300_000) : 'small';"));
    expect(await call({ big: true })).toMatchObject({
      error: "Unhandled",
      result: { errorType: "Function.ResponseSizeTooLarge" },
    });
    expect((await call({})).result).toBe("small");
  });

  it.each([
    ["no such file", ["/none"], {}, "fork/exec /none: no such file or directory"],
    ["no permission", ["/plain"], {}, "permission denied"],
    ["another architecture", ["/runtime"], { architecture: "arm64" }, "exec format error"],
  ])("to start for %s says so", async (_what, Entrypoint, more, text) => {
    const uri = await push("", {
      layers: [
        [
          { name: "runtime", content: buildRuntimeScript("return 1;"), mode: 0o755 },
          { name: "plain", content: "", mode: 0o644 },
        ],
      ],
      ...more,
      config: { Entrypoint },
    });
    expect(await (await create(uri)).call()).toMatchObject({
      error: "Unhandled",
      result: { errorType: "Runtime.InvalidEntrypoint", errorMessage: expect.stringContaining(text) },
    });
  });

  it("of an asynchronous call is tried twice more", async () => {
    const { name } = await create(await push("console.log('attempt'); throw new Error('again');"));
    const sent = await lambda.send(new InvokeCommand({ FunctionName: name, InvocationType: "Event" }));
    expect(sent.StatusCode).toBe(202);
    const lines = () => readLog(`/aws/lambda/${name}`, "attempt");
    await waitUntil(async () => ((await lines()).length === 3 ? true : undefined));
    // What would be a fourth attempt is over when another call is.
    await invoke(name, {});
    expect(await waitUntil(async () => ((await lines()).length === 4 ? 4 : undefined))).toBe(4);
  });
});

async function readLog(logGroupName: string, filterPattern?: string): Promise<string[]> {
  try {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }));
    return events.map(({ message = "" }) => message);
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return [];
    throw error;
  }
}

describe("a log", () => {
  it("has what the process writes between what Lambda says of it", async () => {
    const { call, name } = await create(await push("console.log('out'); console.error('err'); return 1;"));
    const { log } = await call({}, { LogType: "Tail" });
    const lines = log.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/);
    expect(lines.slice(1, 3).sort()).toEqual(["err", "out"]);
    expect(lines[3]).toMatch(/^END RequestId: /);
    expect(lines[4]).toMatch(
      /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms$/,
    );
    expect((await readLog(`/aws/lambda/${name}`)).join("")).toBe(log);
  });

  it("goes to the group that the function names, as JSON where it says so", async () => {
    const LoggingConfig = { LogGroup: `/custom/${randomUUID()}`, LogFormat: "JSON" } as const;
    const { call } = await create(await push("return process.env.AWS_LAMBDA_LOG_LEVEL;"), { LoggingConfig });
    expect((await call({}, { LogType: "Tail" })).result).toBe("INFO");
    const events = (await readLog(LoggingConfig.LogGroup)).map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual(["platform.start", "platform.report"]);
    expect(events[1].record).toMatchObject({ status: "success", metrics: { memorySizeMB: 128 } });
  });
});

describe("an alias", () => {
  it("calls its version, or by weight the other", async () => {
    const { name } = await create(await push("return 'one';"));
    const publish = async () => {
      await waitUntilFunctionUpdatedV2({ client: lambda, ...waiting }, { FunctionName: name });
      const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: name }));
      await waitUntilFunctionActiveV2(
        { client: lambda, ...waiting },
        { FunctionName: name, Qualifier: Version },
      );
    };
    await publish();
    await lambda.send(
      new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: await push("return 'two';") }),
    );
    await publish();
    const alias = async (Name: string, weight: number) => {
      const RoutingConfig = { AdditionalVersionWeights: { 2: weight } };
      const input = { FunctionName: name, Name, FunctionVersion: "1", RoutingConfig };
      await lambda.send(new CreateAliasCommand(input));
      const answers = await Promise.all([1, 2, 3].map(() => invoke(name, {}, { Qualifier: Name })));
      return new Set(answers.map(({ result, version }) => `${version}:${result}`));
    };
    expect(await alias("none", 0)).toEqual(new Set(["1:one"]));
    expect(await alias("all", 1)).toEqual(new Set(["2:two"]));
    expect((await invoke(`${name}:1`)).result).toBe("one");
  });

  it("keeps what $LATEST moves away from", async () => {
    const { name } = await create(await push("return process.env.COLOR;"), {
      Environment: { Variables: { COLOR: "blue" } },
    });
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
    await waitUntilFunctionActiveV2({ client: lambda, ...waiting }, { FunctionName: name, Qualifier: "1" });
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: name,
        Environment: { Variables: { COLOR: "red" } },
      }),
    );
    await waitUntilFunctionUpdatedV2({ client: lambda, ...waiting }, { FunctionName: name });
    expect([(await invoke(name)).result, (await invoke(name, {}, { Qualifier: "1" })).result]).toEqual([
      "red",
      "blue",
    ]);
  });
});
