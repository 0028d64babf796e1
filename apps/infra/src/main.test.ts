import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { stageNames } from "@workspace/shared-config";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startInfra } from "./testing/start-infra.ts";

/** The account of these tests: it is bootstrapped, and has a lease and a stack. */
interface Account {
  /** Each version that the lease parameter had. */
  readonly lease: string[];
  /** `undefined`: CloudFormation never answers. */
  stackStatus: string | undefined;
  /** The calls that move something, lease aside. */
  readonly moved: string[];
}

const untouched = (): Account => ({ lease: [], stackStatus: "UPDATE_COMPLETE", moved: [] });
let account = untouched();
let server: Server;
let endpoint: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const answer = answerCall(await readCall(request));
    if (answer === undefined) return;
    response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" }).end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  account = untouched();
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe("the first signal ends a wait", () => {
  it.each(["deploy", "destroy"])("of %s, for the lease", async (command) => {
    const held = writeHolder();
    account.lease.push(held);
    const { exitCode, stderr } = await interruptAt(command, "SIGINT", "waiting for release of ada@elsewhere");
    expect(stderr).toContain("E_INTERRUPTED");
    expect(exitCode).toBe(1);
    expect(account).toMatchObject({ lease: [held], moved: [] });
  });

  it.each(["deploy", "destroy"])("of %s, for CloudFormation, and the lease is freed", async (command) => {
    account.stackStatus = "UPDATE_IN_PROGRESS";
    const { exitCode, stderr } = await interruptAt(command, "SIGTERM", "waiting for CloudFormation");
    expect(stderr).toContain("E_INTERRUPTED");
    expect(exitCode).toBe(1);
    expect(readLeaseKind()).toBe("free");
    expect(account.moved).toEqual([]);
  });

  it("for what it has set going itself, which goes on", async () => {
    const { stderr } = await interruptAt("destroy", "SIGINT", "lambda-app-local is DELETE_IN_PROGRESS");
    expect(stderr).toContain("E_INTERRUPTED");
    expect(readLeaseKind()).toBe("free");
    expect(account.moved).toEqual(["DeleteStack"]);
  });
});

it("a second signal ends a command at once, whatever it is at", async () => {
  account.stackStatus = undefined;
  const running = start("destroy");
  let again: NodeJS.Timeout | undefined;
  await until(() => account.lease.length > 0);
  running.kill("SIGTERM");
  for await (const line of running.iterable({ from: "stderr" })) {
    // Within a second of the first it counts as the same one.
    if (line.includes("once more ends it at once")) again = setInterval(() => running.kill("SIGTERM"), 50);
  }
  clearInterval(again);
  expect((await running).exitCode).toBe(128 + 15);
});

it("the help names every stage", async () => {
  const { stdout } = await start("deploy", "--help");
  const help = stdout.replace(/\s+/g, " ");
  expect(help).toContain(`--stage <name> ${stageNames.join(", ")} (default: $STAGE, or local)`);
});

const start = (...argv: string[]) => startInfra(endpoint, argv);

/** Runs a command, and sends it a signal once it writes a line with the text. */
async function interruptAt(command: string, signal: NodeJS.Signals, text: string) {
  const running = start(command);
  for await (const line of running.iterable({ from: "stderr" })) {
    if (!running.killed && line.includes(text)) running.kill(signal);
  }
  return running;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await once(server, "request");
}

const readLeaseKind = () => JSON.parse(account.lease.at(-1) ?? "{}").kind;

/** The lease of a process on another machine, as `withLease` writes it. */
function writeHolder(): string {
  const self = { user: "ada", host: "elsewhere", pid: 1, instance: "" };
  const since = new Date().toISOString();
  const holder = { ...self, nonce: "n", command: "release", since, ttlMs: 600_000 };
  return JSON.stringify({ kind: "held", basedOn: 0, holder });
}

interface Call {
  readonly operation: string;
  readonly body: string;
}

/** SSM names the operation in a header, CloudFormation in the body. */
async function readCall(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const target = String(request.headers["x-amz-target"] ?? "").split(".")[1];
  return { operation: target ?? new URLSearchParams(body).get("Action") ?? "", body };
}

function answerCall({ operation, body }: Call): { status: number; body: string } | undefined {
  const ok = (text: string) => ({ status: 200, body: text });
  const parameter = (Value: string, Version: number) =>
    ok(JSON.stringify({ Parameter: { Name: "x", Value, Version, Type: "String" } }));
  switch (operation) {
    case "GetParameter": {
      if (body.includes("/cdk-bootstrap/")) return parameter("30", 1);
      const newest = account.lease.at(-1);
      if (newest !== undefined) return parameter(newest, account.lease.length);
      return { status: 400, body: JSON.stringify({ __type: "ParameterNotFound" }) };
    }
    case "PutParameter":
      return ok(JSON.stringify({ Version: account.lease.push(JSON.parse(body).Value) }));
    case "DescribeStacks":
      return account.stackStatus === undefined ? undefined : ok(describeStack(account.stackStatus));
    case "DeleteStack":
      account.stackStatus = "DELETE_IN_PROGRESS";
  }
  account.moved.push(operation);
  return ok(`<${operation}Response/>`);
}

const describeStack = (status: string) =>
  `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackStatus>${status}</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;

describe("a server that isn't AWS", () => {
  it.each(["deploy", "diff"])("fails %s, and says what to look at", async (command) => {
    const page = createServer((_request, response) => response.end("<html></html>"));
    page.listen(0, "127.0.0.1");
    await once(page, "listening");
    const address = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const { exitCode, stderr } = await startInfra(address, [command]);
    page.close();
    expect(stderr).toMatch(/E_AWS_CALL_FAILED.*nx run lambda-app:verify --stage local --for deploy/s);
    expect(exitCode).toBe(1);
  });
});
