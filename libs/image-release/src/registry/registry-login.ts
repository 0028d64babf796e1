import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { HandoffClients } from "@workspace/handoff";

/** How to get at the registry of an account and region. */
export interface RegistryLogin {
  /** Scheme and host, as ECR says it: `https://123456789012.dkr.ecr.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly username: string;
  readonly password: string;
}

/** The password lasts for twelve hours. */
export async function readRegistryLogin({ ecr }: Pick<HandoffClients, "ecr">): Promise<RegistryLogin> {
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [{ authorizationToken = "", proxyEndpoint = "" } = {}] = authorizationData;
  const [username = "", password = ""] = Buffer.from(authorizationToken, "base64")
    .toString("utf8")
    .split(":");
  return { endpoint: proxyEndpoint, username, password };
}
