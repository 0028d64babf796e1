import { GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import type { HandoffClients } from "@workspace/handoff";
import { CodedError } from "@workspace/shared-config";

/** How to get at the registry of an account and region. */
export interface RegistryLogin {
  /** Scheme and host, as ECR says it: `https://123456789012.dkr.ecr.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly username: string;
  readonly password: string;
}

/** The password lasts for twelve hours. @throws CodedError `E_REGISTRY_LOGIN_INCOMPLETE` */
export async function readRegistryLogin({ ecr }: Pick<HandoffClients, "ecr">): Promise<RegistryLogin> {
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [{ authorizationToken = "", proxyEndpoint = "" } = {}] = authorizationData;
  const [username = "", password = ""] = Buffer.from(authorizationToken, "base64")
    .toString("utf8")
    .split(":");
  const login = { endpoint: proxyEndpoint, username, password };
  const missing = Object.entries(login).flatMap(([name, value]) => (value === "" ? [name] : []));
  if (missing.length === 0) return login;
  throw new CodedError({
    code: "E_REGISTRY_LOGIN_INCOMPLETE",
    what: "ECR's answer is no login for its registry",
    value: `without ${missing.join(", ")}`,
    remedy: "Check AWS_ENDPOINT_URL: what answers there is not ECR.",
  });
}
