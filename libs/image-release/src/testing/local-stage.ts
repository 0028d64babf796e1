import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRepositoryCommand } from "@aws-sdk/client-ecr";
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { buildImageContext, initialAppEntry } from "@workspace/docker";
import { buildHandoffClients, type HandoffClients } from "@workspace/handoff";
import {
  type FunctionOnStage,
  initialTag,
  liveAlias,
  parseFunction,
  parseHostArchitecture,
  parseStage,
  stages,
} from "@workspace/shared-config";
import { execa } from "execa";
import { createContainerCli } from "../container-cli/container-cli.ts";
import { createRegistryClient, type Referrer } from "../registry/registry-client.ts";
import { readRegistryLogin } from "../registry/registry-login.ts";
import { createScratchCheckout, type ScratchCheckout, workspaceRoot } from "./scratch-checkout.ts";

type Environment = Readonly<Record<string, string>>;

/** What a command came to. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A local AWS of its own, and a checkout to release from. */
export interface LocalStage {
  readonly checkout: ScratchCheckout;
  readonly clients: HandoffClients;
  /** One line of JSON for each call that the local AWS got. */
  readonly recordFile: string;
  fn(stageName: string): FunctionOnStage;
  /** What `infra:deploy` makes first. */
  createRepository(fn: FunctionOnStage): Promise<void>;
  /** What `infra:deploy` makes then: a function on the placeholder, with its alias. */
  createFunction(fn: FunctionOnStage): Promise<void>;
  /** What is attached to an image. */
  listReferrers(fn: FunctionOnStage, tag: string): Promise<Referrer[]>;
  /** Runs `image-release COMMAND --function lambda-app …` in the checkout. */
  run(command: string, ...argv: string[]): Promise<Ended>;
  start(environment: Environment, command: string, ...argv: string[]): ReturnType<typeof startCommand>;
  close(): Promise<void>;
}

const bin = join(workspaceRoot, "node_modules/.bin");
const holdOpen = "process.stdout.write(JSON.stringify(process.env) + '\\n'); process.stdin.resume();";
const architecture = parseHostArchitecture(process.arch);

export async function openLocalStage(): Promise<LocalStage> {
  const state = mkdtempSync(join(tmpdir(), "local-stage-"));
  const checkout = createScratchCheckout();
  const recordFile = join(state, "record.jsonl");
  const held = execa(join(bin, "local-aws"), ["exec", "--", process.execPath, "-e", holdOpen], {
    env: {
      ...pick("PATH", "HOME"),
      AWS_REGION: stages.local.region,
      LOCAL_AWS_STATE: join(state, "aws"),
      LOCAL_AWS_RECORD: recordFile,
      DOCKER_CONFIG: join(state, "docker"),
    },
    extendEnv: false,
    stdin: "pipe",
    stderr: "inherit",
    reject: false,
  });
  const removeAll = () => {
    checkout.remove();
    rmSync(state, { recursive: true, force: true });
  };
  const [line] = await Promise.race([
    once(held.stdout, "data"),
    held.then((ended): never => {
      removeAll();
      throw new Error(`local-aws ended early: ${ended.shortMessage}`);
    }),
  ]);
  const opened: Record<string, string> = JSON.parse(String(line));
  const environment = { ...opened, PATH: `${bin}:${opened.PATH}`, BASE_IMAGE: "scratch" };
  // The SDK looks for them in the environment of this process.
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]) process.env[name] = opened[name];
  const clients = buildHandoffClients({
    region: opened.AWS_REGION ?? "",
    endpoint: opened.AWS_ENDPOINT_URL ?? "",
  });

  const start: LocalStage["start"] = (more, command, ...argv) =>
    startCommand(checkout, { ...environment, ...more }, [command, "--function", "lambda-app", ...argv]);

  return {
    checkout,
    clients,
    recordFile,
    fn: (stageName) => parseFunction("lambda-app", parseStage(stageName), architecture),
    createRepository: (fn) => createRepository(clients, fn),
    createFunction: (fn) => createFunction(clients, fn, environment),
    async listReferrers({ repositoryName }, tag) {
      const login = await readRegistryLogin(clients);
      const registry = createRegistryClient(login, repositoryName, new AbortController().signal);
      return registry.listReferrers(await registry.resolve(tag));
    },
    start,
    run: async (command, ...argv) => {
      const { exitCode, stdout, stderr } = await start({}, command, ...argv);
      return { exitCode, stdout, stderr };
    },
    async close() {
      held.stdin.end();
      await held;
      removeAll();
    },
  };
}

function startCommand({ directory }: ScratchCheckout, env: Environment, argv: readonly string[]) {
  return execa(join(directory, "libs/image-release/bin/image-release"), argv, {
    cwd: directory,
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
  });
}

async function createRepository({ ecr }: HandoffClients, { repositoryName }: FunctionOnStage): Promise<void> {
  await ecr.send(
    new CreateRepositoryCommand({
      repositoryName,
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filter: initialTag, filterType: "WILDCARD" }],
    }),
  );
}

async function createFunction(
  clients: HandoffClients,
  fn: FunctionOnStage,
  environment: Environment,
): Promise<void> {
  const { lambda } = clients;
  const FunctionName = fn.functionName;
  const ImageUri = await pushPlaceholder(clients, fn, environment);
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      PackageType: "Image",
      Code: { ImageUri },
      Role: "arn:aws:iam::000000000000:role/any",
      Architectures: [fn.architecture],
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { FunctionName },
  );
  const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: liveAlias, FunctionVersion: Version }));
}

async function pushPlaceholder(
  clients: HandoffClients,
  { repositoryName, architecture }: FunctionOnStage,
  environment: Environment,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "placeholder-"));
  try {
    const context = await buildImageContext({
      appEntry: initialAppEntry,
      architecture,
      outDir: join(directory, "context"),
    });
    const { endpoint, username, password } = await readRegistryLogin(clients);
    const { host } = new URL(endpoint);
    const reference = `${host}/${repositoryName}:${initialTag}`;
    const buildArgs = { BASE_IMAGE: "scratch" };
    const cli = createContainerCli({ executable: join(bin, "oci-build"), onLine() {}, environment });
    await cli.build({ reference, directory: context.directory, platform: context.platform, buildArgs });
    await cli.login({ host, username, password });
    await cli.push(reference);
    return reference;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function pick(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? ""]));
}
