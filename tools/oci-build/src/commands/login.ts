import { CodedError } from "@workspace/shared-config";
import { openDockerConfig } from "../registry/docker-config.ts";
import { createRegistryClient } from "../registry/registry-client.ts";
import type { CommandContext } from "./command-context.ts";

export interface LoginProps {
  /** `127.0.0.1:5000`, `https://123456789012.dkr.ecr.eu-central-1.amazonaws.com` */
  readonly server: string;
  readonly username: string;
  /** As it came over standard input. */
  readonly passwordInput: string;
  readonly dockerConfigDirectory: string;
}

/** Proves the credentials at the registry, and only then keeps them. @throws CodedError `E_REGISTRY_LOGIN_REFUSED` */
export async function runLogin({ progress, print }: CommandContext, props: LoginProps): Promise<void> {
  const { username, dockerConfigDirectory } = props;
  const host = props.server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  const password = props.passwordInput.replace(/\r?\n$/, "");
  if (password === "") {
    throw new CodedError({
      code: "E_USAGE",
      what: "no password came over standard input",
      remedy: "Pipe it in: oci-build login --username USER --password-stdin HOST < FILE",
    });
  }
  const credentials = { username, password };
  const onRetry = progress.line;
  await createRegistryClient({ host, findCredentials: async () => credentials, onRetry }).ping();
  await openDockerConfig(dockerConfigDirectory).storeCredentials(host, credentials);
  print("Login Succeeded");
}
