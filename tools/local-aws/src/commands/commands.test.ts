import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitUntil } from "../testing/wait-until.ts";

const command = join(import.meta.dirname, "../../bin/local-aws");

let directory: string;
let state: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "local-aws-commands-"));
  state = join(directory, "state");
});
afterEach(async () => {
  await localAws("reset");
  await waitUntil(async () => !(await readStatus()).up || undefined);
  // A server that came too late to serve commands may be at its end there still.
  rmSync(directory, { recursive: true, maxRetries: 20 });
});

const localAws = (...argv: string[]) => run({}, ...argv);

function run(env: Record<string, string>, ...argv: string[]): ResultPromise<{ reject: false }> {
  return execa(command, argv, {
    env: { PATH: process.env.PATH, LOCAL_AWS_STATE: state, ...env },
    extendEnv: false,
    reject: false,
  });
}

interface Status {
  readonly up: boolean;
  readonly endpoint?: string;
  readonly pid?: number;
  readonly attachments?: number;
}

const readStatus = async (): Promise<Status> => JSON.parse((await localAws("status")).stdout);

interface Serving {
  readonly line: string;
  readonly pid: number | undefined;
  readonly end: () => Promise<number | null>;
}

async function serve(...argv: string[]): Promise<Serving> {
  const child = spawn(command, ["serve", ...argv], {
    env: { PATH: process.env.PATH, LOCAL_AWS_STATE: state },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return {
    line: String(line),
    pid: child.pid,
    async end() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
  };
}

/** For what must not wait until a start is given up. */
const soonMs = 20_000;

/** Runs until its standard input is closed. */
const holdOpen = ["exec", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL; cat"];

describe("exec", () => {
  it("gives the command an endpoint and credentials, and hands on how it ends", async () => {
    const script = 'echo "$AWS_ENDPOINT_URL $AWS_REGION $AWS_DEFAULT_REGION $AWS_ACCESS_KEY_ID $1"; exit 7';
    const ended = await localAws("exec", "--", "sh", "-c", script, "sh", "--port");
    expect(ended.stdout).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+ eu-central-1 eu-central-1 LOCALAWSACCESSKEYID0 --port$/,
    );
    expect(ended.exitCode).toBe(7);
    expect((await localAws("exec", "--", "sh", "-c", "kill -TERM $$")).exitCode).toBe(128 + 15);
  });

  it("keeps the caller's own AWS settings from the command", async () => {
    const own = {
      AWS_PROFILE: "work",
      AWS_SESSION_TOKEN: "secret",
      AWS_ENDPOINT_URL_S3: "https://example.com",
      AWS_CONFIG_FILE: "/home/someone/.aws/config",
      AWS_REGION: "us-east-1",
    };
    const { stdout } = await run(own, "exec", "--", "env");
    const names = stdout.split("\n").flatMap((line) => /^AWS_\w+(?==)/.exec(line) ?? []);
    expect(names.sort()).toEqual([
      "AWS_ACCESS_KEY_ID",
      "AWS_CONFIG_FILE",
      "AWS_DEFAULT_REGION",
      "AWS_ENDPOINT_URL",
      "AWS_REGION",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SHARED_CREDENTIALS_FILE",
    ]);
    expect(stdout).toContain("AWS_REGION=us-east-1");
    expect(stdout).toContain("AWS_CONFIG_FILE=/dev/null");
  });

  it("keeps logins in the state, unless the caller says where, or an engine builds", async () => {
    const readFolder = async (env: Record<string, string>) =>
      (await run(env, "exec", "--", "sh", "-c", "echo $DOCKER_CONFIG")).stdout;
    expect(await readFolder({ CDK_DOCKER: "oci-build" })).toBe(join(state, "docker"));
    expect(await readFolder({ CDK_DOCKER: "oci-build", DOCKER_CONFIG: "/chosen" })).toBe("/chosen");
    expect(await readFolder({ CDK_DOCKER: "docker" })).toBe("");
  });

  it("names a command that doesn't exist", async () => {
    const ended = await localAws("exec", "--", "no-such-command");
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("E_COMMAND_MISSING");
  });

  it("refuses a command without a name, and starts nothing for it", async () => {
    const ended = await localAws("exec", "--", "");
    expect(ended).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^E_COMMAND_MISSING: .*\(got ""\)/),
    });
    expect(existsSync(state)).toBe(false);
  });

  it(
    "says what a server said that ended as it started",
    async () => {
      const recordFile = join(directory, "missing/record.jsonl");
      const ended = await run({ LOCAL_AWS_RECORD: recordFile }, "exec", "--", "true");
      expect(ended.exitCode).toBe(1);
      expect(ended.stderr).toMatch(/^E_LOCAL_AWS_NOT_UP: .*E_RECORD_FILE: /);
      expect(ended.stderr).toContain(recordFile);
    },
    soonMs,
  );

  it("starts one server for commands that come at once, on the port that the state had", async () => {
    const first = await Promise.all(
      [1, 2, 3].map(() => localAws("exec", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL")),
    );
    const endpoints = first.map(({ stdout, stderr }) => stdout + stderr);
    expect(new Set(endpoints).size).toBe(1);
    await waitUntil(async () => !(await readStatus()).up || undefined);
    const later = await localAws("exec", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL");
    expect(later.stdout).toBe(endpoints[0]);
  });

  it("keeps its server up as long as the command runs, and inside itself uses it again", async () => {
    const held = localAws(...holdOpen);
    await waitUntil(async () => (await readStatus()).attachments === 1 || undefined);
    const { pid, endpoint } = await readStatus();
    const nested = await localAws("exec", "--", command, "exec", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL");
    expect(nested.stdout).toBe(endpoint);
    expect((await readStatus()).pid).toBe(pid);
    held.stdin?.end();
    expect((await held).exitCode).toBe(0);
    await waitUntil(async () => !(await readStatus()).up || undefined);
  });

  it("lets go of the server when it is killed", async () => {
    const held = localAws(...holdOpen);
    await waitUntil(async () => (await readStatus()).attachments === 1 || undefined);
    held.kill("SIGKILL");
    await held;
    await waitUntil(async () => !(await readStatus()).up || undefined);
  });

  it("says so where another program has the state's port", async () => {
    await localAws("exec", "--", "true");
    const { endpoint = "" } = await readStatus();
    await waitUntil(async () => !(await readStatus()).up || undefined);
    const other = createServer((_request, response) => response.end("something else"));
    other.listen(Number(new URL(endpoint).port), "127.0.0.1");
    await once(other, "listening");
    try {
      const ended = await localAws("exec", "--", "true");
      expect(ended.exitCode).toBe(1);
      expect(ended.stderr).toContain("E_PORT_TAKEN");
      expect(ended.stderr).toContain(new URL(endpoint).port);
    } finally {
      other.close();
    }
  });
});

describe("serve", () => {
  it("serves on the port that it is told, until it is told to end", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, "close");
    const { line, end } = await serve("--port", String(port));
    expect(line).toContain(`http://127.0.0.1:${port}`);

    const second = await localAws("serve");
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("E_STATE_IN_USE");
    expect(await end()).toBe(0);

    const elsewhere = { LOCAL_AWS_PORT: String(port === 65_535 ? port - 1 : port + 1) };
    expect((await run(elsewhere, "serve")).stderr).toContain("E_PORT_OF_STATE");
    expect((await run(elsewhere, "exec", "--", "true")).stderr).toContain("E_PORT_OF_STATE");
  });

  it.each(["0", "http", "70000"])("refuses the port %s", async (port) => {
    const ended = await localAws("serve", "--port", port);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain("E_PORT_INVALID");
  });
});

describe("a state that can't be used", () => {
  const commands = [["exec", "--", "true"], ["serve"], ["status"]];

  it.each(["abc", "99999", "", "a folder"])("is named where its port is %j, and reset", async (port) => {
    mkdirSync(state);
    const portFile = join(state, "port");
    if (port === "a folder") mkdirSync(portFile);
    else writeFileSync(portFile, port);
    for (const argv of commands) {
      const { exitCode, stdout, stderr } = await localAws(...argv);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toMatch(/^E_STATE_CORRUPT: .*`local-aws reset`/);
      expect(stderr).toContain(portFile);
    }
    expect((await localAws("reset")).exitCode).toBe(0);
    expect((await localAws("exec", "--", "true")).exitCode).toBe(0);
  });

  it.each(["{bad", "null", '{"value":1}'])("is named where a document is %s", async (content) => {
    const documents = join(state, "ssm/documents");
    mkdirSync(documents, { recursive: true });
    const document = join(documents, "x.json");
    writeFileSync(document, content);
    const { exitCode, stderr } = await localAws("serve");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^E_STATE_CORRUPT: .*`local-aws reset`/);
    expect(stderr).toContain(document);
  });

  it("is named where it is no folder, and left alone", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "mine");
    for (const argv of [...commands, ["reset"]]) {
      const { exitCode, stderr } = await run({ LOCAL_AWS_STATE: file }, ...argv);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^E_STATE_FOLDER: .*LOCAL_AWS_STATE/);
      expect(stderr).toContain(file);
    }
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  it.each([["exec", "--", "true"], ["serve"]])(
    "is named where nothing can be written: %s",
    async (...argv) => {
      const { exitCode, stderr } = await run({ LOCAL_AWS_STATE: "/proc/none" }, ...argv);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^E_STATE_FOLDER: .*"\/proc\/none"/);
    },
  );

  it("isn't made by asking for its status", async () => {
    expect(await readStatus()).toEqual({ up: false, stateDirectory: state });
    expect(existsSync(state)).toBe(false);
  });
});

describe("reset", () => {
  it(
    "names the server that has the state where its folder was removed",
    async () => {
      const { pid, end } = await serve();
      rmSync(state, { recursive: true });
      for (const argv of [["reset"], ["exec", "--", "true"]]) {
        const { exitCode, stderr } = await localAws(...argv);
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(/E_STATE_IN_USE: /);
        expect(stderr).toContain(`process ${pid}`);
      }
      expect(await end()).toBe(0);
      expect((await localAws("exec", "--", "true")).exitCode).toBe(0);
    },
    soonMs,
  );

  it("forgets everything, and is refused while a command is attached", async () => {
    const held = localAws(...holdOpen);
    await waitUntil(async () => (await readStatus()).attachments === 1 || undefined);
    const refused = await localAws("reset");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("E_LOCAL_AWS_IN_USE");
    expect(existsSync(join(state, "port"))).toBe(true);
    held.stdin?.end();
    await held;
    expect((await localAws("reset")).exitCode).toBe(0);
    expect(existsSync(join(state, "port"))).toBe(false);
  });
});

it("writes a line for each call: what was called, on what, by whom, and how it went", async () => {
  const recordFile = join(directory, "record.jsonl");
  const script = `
    const { STSClient, AssumeRoleCommand, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
    const { SSMClient, GetParameterCommand } = require("@aws-sdk/client-ssm");
    (async () => {
      const RoleArn = "arn:aws:iam::000000000000:role/deployer";
      const { Credentials: c } = await new STSClient({}).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "s" }));
      const credentials = { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.SessionToken };
      const { Arn } = await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}));
      console.log(Arn);
      await new SSMClient({ credentials }).send(new GetParameterCommand({ Name: "/missing" })).catch(() => {});
    })();`;
  const options = { LOCAL_AWS_RECORD: recordFile, NODE_NO_WARNINGS: "1" };
  const child = execa(command, ["exec", "--", process.execPath, "-e", script], {
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, LOCAL_AWS_STATE: state, ...options },
    extendEnv: false,
  });
  expect((await child).stdout).toBe("arn:aws:sts::000000000000:assumed-role/deployer/s");
  const record = readFileSync(recordFile, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(record).toMatchObject([
    { service: "sts", operation: "AssumeRole", accessKeyId: "LOCALAWSACCESSKEYID0" },
    { service: "sts", operation: "GetCallerIdentity" },
    {
      service: "ssm",
      operation: "GetParameter",
      input: { Name: "/missing" },
      errorCode: "ParameterNotFound",
      callerArn: "arn:aws:sts::000000000000:assumed-role/deployer/s",
    },
  ]);
});
