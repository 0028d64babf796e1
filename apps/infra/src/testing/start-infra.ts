import { join } from "node:path";
import { execa } from "execa";

/** Starts the command for the app at an endpoint that stands for AWS, on the stage that takes any account. */
export function startInfra(
  endpoint: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  return execa(join(import.meta.dirname, "../../bin/infra"), [...argv, "--function", "lambda-app"], {
    reject: false,
    extendEnv: false,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "",
      STAGE: "local",
      AWS_REGION: "eu-central-1",
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: "x",
      AWS_SECRET_ACCESS_KEY: "x",
      ...environment,
    },
  });
}
