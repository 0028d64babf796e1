import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createScratchWorkspace, type ScratchWorkspace } from "./scratch-workspace.ts";
import { openStageSession, type StageSession } from "./stage-session.ts";
import { createWorld, type World } from "./story/world.ts";

const functionSettings = "apps/infra/src/function-settings.ts";
const functionStack = "apps/infra/src/function-stack.ts";
const handler = "apps/lambda-app/src/handler.ts";
const timeout = 300_000;

let scratch: ScratchWorkspace;
let session: StageSession;
let world: World;
let cloudformation: CloudFormationClient;

beforeAll(async () => {
  scratch = createScratchWorkspace();
  session = await openStageSession(scratch.directory, {
    PATH: process.env.PATH ?? "",
    HOME: process.env.HOME ?? "",
  });
  world = createWorld(scratch, session.environment, "lambda-app");
  cloudformation = new CloudFormationClient(clientConfig());
  await succeed(deploy());
  await succeed(release());
}, timeout);
afterAll(async () => {
  await session?.close();
  scratch?.remove();
});

const clientConfig = () => ({
  endpoint: session.environment.AWS_ENDPOINT_URL ?? "",
  region: session.environment.AWS_REGION ?? "",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
});

const start = (...argv: string[]) =>
  execa("node_modules/.bin/stage-run", argv, {
    cwd: scratch.directory,
    env: session.environment,
    extendEnv: false,
    reject: false,
    all: true,
    detached: true,
  });
const deploy = () => start("infra", "deploy", "--function", "lambda-app");
const release = () => start("image-release", "release", "--function", "lambda-app");

async function succeed(command: ReturnType<typeof start>): Promise<void> {
  const { exitCode, all } = await command;
  expect(exitCode, all).toBe(0);
}

/** Calls the function's URL until it is told to stop. Gives every different answer. */
function callAllTheWhile(): { stop: () => Promise<ReadonlySet<string>> } {
  const answers = new Set<string>();
  let going = true;
  const calling = (async () => {
    while (going) {
      const { status, body } = await world.get("/");
      answers.add(`${status} ${body}`);
    }
  })();
  return {
    async stop() {
      going = false;
      await calling;
      return answers;
    },
  };
}

async function readLastUpdated(): Promise<number> {
  const { Stacks = [] } = await cloudformation.send(
    new DescribeStacksCommand({ StackName: world.fn.stackName }),
  );
  return Stacks[0]?.LastUpdatedTime?.getTime() ?? 0;
}

/** Starts a deploy, and waits until CloudFormation has begun an update because of it. (A command is awaitable itself.) */
async function deployUntilUpdateBegins(): Promise<{ deploying: ReturnType<typeof start> }> {
  const before = await readLastUpdated();
  const deploying = deploy();
  while ((await readLastUpdated()) === before && deploying.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { deploying };
}

describe("CloudFormation rolls an infra change back after a release", { timeout }, () => {
  it("the released image stays live at every moment, and the next deploy succeeds", async () => {
    // Of a name that is taken: the function has been changed by then, and must be changed back.
    const taken = { Name: "/taken", Value: "taken", Type: "String" } as const;
    await new SSMClient(clientConfig()).send(new PutParameterCommand(taken));
    const before = await world.readLive();
    const marker = '    new CfnOutput(this, "FunctionName"';
    const broken = `    new CfnResource(this, "Taken", { type: "AWS::SSM::Parameter", properties: ${JSON.stringify(taken)} }).node.addDependency(lambda);\n`;
    scratch.edit(functionSettings, "memoryMiB: 512", "memoryMiB: 640", "feat: more memory");
    scratch.edit(functionStack, "CfnOutput,", "CfnOutput, CfnResource,", "feat: an import");
    scratch.edit(functionStack, marker, broken + marker, "feat: a parameter that can't be made");

    const caller = callAllTheWhile();
    const { exitCode, all } = await deploy();
    const answers = await caller.stop();

    expect(exitCode, all).toBe(2);
    expect(all).toContain("E_STACK_FAILED");
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toMatch(/^200 /);
    expect(await world.readLive()).toEqual(before);

    scratch.edit(functionStack, broken, "", "fix: without it");
    await succeed(deploy());
    expect(await world.readLive()).toMatchObject({ digest: before.digest, memoryMiB: 640 });
  });
});

describe("a deploy is killed while CloudFormation is at work", { timeout }, () => {
  it("the released image stays live, and the next run finishes", async () => {
    const before = await world.readLive();
    scratch.edit(functionSettings, "memoryMiB: 640", "memoryMiB: 704", "feat: yet more memory");
    const caller = callAllTheWhile();
    const { deploying } = await deployUntilUpdateBegins();
    process.kill(-(deploying.pid ?? 0), "SIGKILL");
    expect((await deploying).signal).toBe("SIGKILL");
    expect([...(await caller.stop())]).toHaveLength(1);

    await succeed(deploy());
    expect(await world.readLive()).toMatchObject({ digest: before.digest, memoryMiB: 704 });
  });
});

describe("a release and a deploy at the same time", { timeout }, () => {
  it.each([
    { first: "deploy", memory: ["704", "768"], greeting: ["Hello", "Hello once"] },
    { first: "release", memory: ["768", "832"], greeting: ["Hello once", "Hello twice"] },
  ] as const)("neither is lost nor undone, with the $first ahead", async ({ first, memory, greeting }) => {
    const before = await world.readLive();
    scratch.edit(functionSettings, `memoryMiB: ${memory[0]}`, `memoryMiB: ${memory[1]}`, "feat: memory");
    const commit = scratch.edit(handler, `"${greeting[0]} from`, `"${greeting[1]} from`, "feat: greeting");
    if (first === "deploy") {
      const { deploying } = await deployUntilUpdateBegins();
      await Promise.all([succeed(deploying), succeed(release())]);
    } else {
      await Promise.all([succeed(release()), succeed(deploy())]);
    }

    const live = await world.readLive();
    expect(live.digest).not.toBe(before.digest);
    expect(live.memoryMiB).toBe(Number(memory[1]));
    expect(await world.readPublishedTag()).toBe(commit.slice(0, 12));
    expect((await world.get("/")).body).toContain(`${greeting[1]} from`);
  });
});
