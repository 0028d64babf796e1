import { execa } from "execa";
import { type Bench, run } from "./bench.ts";
import { type DockerEngine, glibcImage } from "./docker-engine.ts";
import { median, race } from "./timing.ts";

const handler = "apps/lambda-app/src/handler.ts";
const functionName = "lambda-app-local";

/**
 * From a saved edit of the handler until the function runs it: `release`, beside what a user would write instead from
 * the same context: docker build, docker push, the AWS CLI's update-function-code and wait. The latter is logged in
 * already, and neither checks nor publishes.
 */
export async function runEditToLive(bench: Bench, engine: DockerEngine | string) {
  let greeting = "Hello";
  const edit = (to: string) => {
    bench.scratch.edit(handler, `"${greeting} from Lambda"`, `"${to} from Lambda"`, `feat: ${to}`);
    greeting = to;
  };
  const release = async (round: number) => {
    edit(`Hello ${round} by release`);
    await run(bench, "stage-run", "image-release", "release", "--function", "lambda-app");
  };
  if (typeof engine === "string") {
    const seconds = await race(bench.rounds, { editToLive: release });
    return {
      seconds: { editToLive: median(seconds.editToLive ?? []) },
      ratios: { editToLiveVsDocker: null },
      skipped: [`editToLiveVsDocker: ${engine}`],
    };
  }
  const byDocker = await prepareDocker(bench, engine);
  await byDocker("warm");
  const seconds = await race(bench.rounds, {
    editToLive: release,
    editToLiveByDocker: async (round) => {
      edit(`Hello ${round} by docker`);
      await byDocker(`round-${round}`);
    },
  });
  const [own, docker] = [median(seconds.editToLive ?? []), median(seconds.editToLiveByDocker ?? [])];
  return {
    seconds: { editToLive: own, editToLiveByDocker: docker },
    ratios: { editToLiveVsDocker: own / docker },
    skipped: [],
  };
}

async function prepareDocker(bench: Bench, engine: DockerEngine): Promise<(tag: string) => Promise<void>> {
  const { AWS_ENDPOINT_URL: endpoint = "", AWS_REGION: region = "" } = bench.environment;
  const { host } = new URL(endpoint);
  const repository = `${host}/${functionName}`;
  const docker = (argv: readonly string[], input = "") =>
    execa("docker", argv, { env: engine.environment, input });
  const credentials = { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench", AWS_PAGER: "" };
  const aws = (...argv: string[]) =>
    execa("aws", [...argv, "--endpoint-url", endpoint, "--region", region], { env: credentials });
  const { stdout: password } = await aws("ecr", "get-login-password");
  await docker(["login", "--username", "AWS", "--password-stdin", host], password);

  return async (tag) => {
    const context = JSON.parse(
      await run(bench, "stage-run", "bun", "docker/src/main.ts", "--function", "lambda-app"),
    ) as { directory: string; platform: string };
    const imageUri = `${repository}:docker-${tag}`;
    const buildArgs = ["BASE_IMAGE=scratch", `GLIBC_IMAGE=${glibcImage}`].flatMap((arg) => [
      "--build-arg",
      arg,
    ]);
    await docker([
      "build",
      "--platform",
      context.platform,
      ...buildArgs,
      "--tag",
      imageUri,
      context.directory,
    ]);
    await docker(["push", imageUri]);
    const fn = ["--function-name", functionName];
    await aws("lambda", "update-function-code", ...fn, "--image-uri", imageUri);
    await aws("lambda", "wait", "function-updated-v2", ...fn);
  };
}
