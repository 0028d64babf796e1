import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  PutImageCommand,
} from "@aws-sdk/client-ecr";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { execa } from "execa";
import { type Bench, run } from "./bench.ts";
import { median, race } from "./timing.ts";

const functionTable = "libs/shared-config/src/functions.ts";

/** Synthesis of 1, 10 and 100 released functions; and of one beside the CDK CLI with the same app through tsx. */
export async function runSynth(bench: Bench) {
  const { scratch, environment } = bench;
  const tsx = join(import.meta.dirname, "../node_modules/.bin/tsx");
  const cdkFlags = ["--quiet", "--no-notices", "--no-version-reporting"];
  const cdkEnvironment = {
    ...environment,
    CDK_DISABLE_CLI_TELEMETRY: "true",
    CDK_DISABLE_VERSION_CHECK: "1",
  };
  const byTsx = async () => {
    await execa(
      join(scratch.directory, "node_modules/.bin/cdk"),
      ["synth", "--app", `${tsx} src/cdk-app.ts`, ...cdkFlags],
      {
        cwd: join(scratch.directory, "apps/infra"),
        env: cdkEnvironment,
        extendEnv: false,
      },
    );
  };
  const own = async () => void (await run(bench, "stage-run", "infra", "synth"));
  const one = await race(bench.rounds, { synth1: own, synthByTsx: byTsx });

  const synth1 = median(one.synth1 ?? []);
  const synthByTsx = median(one.synthByTsx ?? []);
  const synthOf = async (count: number) => {
    await addFunctions(bench, count);
    return median((await race(bench.rounds, { synth: own })).synth ?? []);
  };
  const synth10 = await synthOf(10);
  const synth100 = await synthOf(100);
  return {
    seconds: { synth1, synthByTsx, synth10, synth100 },
    ratios: { synthVsTsx: synth1 / synthByTsx, synth100VsSynth1: synth100 / synth1 },
  };
}

/** Makes functions up that run the app's image: a line in the table, a repository with the image, a published tag. */
async function addFunctions({ scratch, environment }: Bench, count: number): Promise<void> {
  const config = {
    endpoint: environment.AWS_ENDPOINT_URL ?? "",
    region: environment.AWS_REGION ?? "",
    credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  };
  const [ecr, ssm] = [new ECRClient(config), new SSMClient(config)];
  const before = readFileSync(join(scratch.directory, functionTable), "utf8");
  const line = /^ {2}"lambda-app": (\{.*\}),$/m.exec(before);
  if (line === null) throw new Error(`${functionTable} has no line for lambda-app`);
  const { images = [] } = await ecr.send(
    new BatchGetImageCommand({ repositoryName: "lambda-app-local", imageIds: [{ imageTag: "initial" }] }),
  );
  const imageManifest = images[0]?.imageManifest;
  if (imageManifest === undefined) throw new Error("the repository has no image with the tag initial");
  const { config: imageConfig, layers } = JSON.parse(imageManifest);
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const headers = { authorization: `Basic ${authorizationData[0]?.authorizationToken}` };
  const names = Array.from({ length: count - 1 }, (_, index) => `made-up-${count}-${index}`);
  for (const name of names) {
    const repositoryName = `${name}-local`;
    await ecr.send(new CreateRepositoryCommand({ repositoryName }));
    for (const { digest } of [imageConfig, ...layers]) {
      const mount = `mount=${digest}&from=lambda-app-local`;
      const url = `${config.endpoint}/v2/${repositoryName}/blobs/uploads/?${mount}`;
      const { status } = await fetch(url, { method: "POST", headers });
      if (status !== 201) throw new Error(`the registry answered a mount with ${status}`);
    }
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: "0a1b2c3d4e5f" }));
    await ssm.send(
      new PutParameterCommand({ Name: `/${name}/local/image-tag`, Value: "0a1b2c3d4e5f", Type: "String" }),
    );
  }
  const lines = ["lambda-app", ...names].map((name) => `  "${name}": ${line[1]},`);
  const table = before.replace(
    /(?<=Record<string, FunctionConfig>> = \{\n)[\s\S]*?(?=\n\};)/,
    lines.join("\n"),
  );
  scratch.write(functionTable, table);
  scratch.commit(`feat: ${count} functions`);
}
