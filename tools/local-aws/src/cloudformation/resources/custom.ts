import { randomUUID } from "node:crypto";
import { readBody } from "../../body.ts";
import type { Route, ServiceContext } from "../../service.ts";
import type { Made, Properties, ResourceContext, ResourceType } from "./resource-type.ts";

export const responsePrefix = "/cloudformation-custom-resource-responses/";

interface CustomAnswer {
  readonly Status: "SUCCESS" | "FAILED";
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

/**
 * How long a provider may take.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
const defaultTimeoutSeconds = 3600;

/** Custom resources: the provider's function is invoked, and answers at a URL of its own. */
export function createCustomResources(services: ServiceContext): { type: ResourceType; route: Route } {
  const waiting = new Map<string, (answer: CustomAnswer) => void>();

  async function request(
    RequestType: "Create" | "Update" | "Delete",
    context: ResourceContext,
    properties: Properties,
    { physicalId, old }: { readonly physicalId?: string; readonly old?: Properties } = {},
  ): Promise<Made> {
    const token = randomUUID();
    const answered = new Promise<CustomAnswer>((resolve) => waiting.set(token, resolve));
    const event = {
      RequestType,
      ResponseURL: `${services.endpoint}${responsePrefix}${token}`,
      StackId: context.stackId,
      RequestId: token,
      ResourceType: context.type,
      LogicalResourceId: context.logicalId,
      ResourceProperties: withText(properties),
      ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
      ...(old !== undefined && { OldResourceProperties: withText(old) }),
    };
    const Payload = JSON.stringify(event);
    const invoked = services
      .call<{ FunctionError?: string; Payload: string }>("lambda", "Invoke", {
        FunctionName: properties.ServiceToken,
        Payload,
      })
      .then(({ FunctionError, Payload: payload }) => {
        // A provider that failed before it could answer would leave the stack waiting for an hour.
        if (FunctionError !== undefined) waiting.get(token)?.({ Status: "FAILED", Reason: payload });
      });
    const timer = setTimeout(
      () =>
        waiting.get(token)?.({
          Status: "FAILED",
          Reason: "CloudFormation did not receive a response from your Custom Resource",
        }),
      Number(properties.ServiceTimeout ?? defaultTimeoutSeconds) * 1000,
    );
    const [answer] = await Promise.all([answered, invoked]).finally(() => {
      clearTimeout(timer);
      waiting.delete(token);
    });
    if (answer.Status !== "SUCCESS") {
      // A provider that failed to create is still told to delete what it named.
      if (RequestType === "Create" && answer.PhysicalResourceId) context.claim(answer.PhysicalResourceId);
      throw new Error(
        `Received response status [FAILED] from custom resource. Message returned: ${answer.Reason} (RequestId: ${token})`,
      );
    }
    return { physicalId: answer.PhysicalResourceId ?? physicalId ?? token, attributes: answer.Data ?? {} };
  }

  const type: ResourceType = {
    properties: [],
    replacedBy: ["ServiceToken"],
    create: (properties: Properties, context) => request("Create", context, properties),
    update: (physicalId, properties: Properties, old: Properties, context) =>
      request("Update", context, properties, { physicalId, old }),
    delete: (physicalId, properties: Properties, context) =>
      request("Delete", context, properties, { physicalId }).then(() => {}),
  };

  const route: Route = async (incoming, response, url) => {
    const answer = JSON.parse((await readBody(incoming)).toString()) as CustomAnswer;
    waiting.get(url.pathname.slice(responsePrefix.length))?.(answer);
    response.writeHead(200).end();
  };

  return { type, route };
}

/** Providers get every leaf as text. */
function withText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withText);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withText(member)]));
  }
  return String(value);
}
