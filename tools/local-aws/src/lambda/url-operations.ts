import { randomUUID } from "node:crypto";
import { type Operation, refuseOthers, type ServiceContext } from "../service.ts";
import { conflict, invalidParameter, notFound } from "./errors.ts";
import { functionUrlPrefix } from "./function-urls/url-event.ts";
import { type Functions, findAlias, nameOf, parseReference } from "./functions.ts";
import type { FunctionUrl, LambdaFunction } from "./model.ts";

const covered = ["AuthType", "InvokeMode"];

/** Function URLs, on a function or on an alias. */
export function createUrlOperations(
  { endpoint, now }: ServiceContext,
  functions: Functions,
): Record<string, Operation> {
  function find(text: string, given?: string) {
    const { name, qualifier } = parseReference(text, given);
    const fn = functions.find(name);
    if (fn === undefined) throw notFound("Function does not exist");
    return { fn, qualifier, url: fn.urls.find((candidate) => candidate.qualifier === qualifier) };
  }

  function mustFind(text: string, given?: string) {
    const { fn, url } = find(text, given);
    if (url === undefined) throw notFound("The resource you requested does not exist.");
    return { fn, url };
  }

  const describe = (fn: LambdaFunction, { id, qualifier, authType, invokeMode, ...url }: FunctionUrl) => ({
    FunctionUrl: `${endpoint}${functionUrlPrefix}${id}/`,
    FunctionArn: functions.arnOf(nameOf(fn), qualifier),
    AuthType: authType,
    InvokeMode: invokeMode,
    CreationTime: new Date(url.createdAt).toISOString(),
    LastModifiedTime: new Date(url.changedAt).toISOString(),
  });

  return {
    async CreateFunctionUrlConfig({ FunctionName, Qualifier, ...input }) {
      refuseOthers("CreateFunctionUrlConfig", input, covered);
      const { fn, qualifier, url } = find(FunctionName, Qualifier);
      if (url !== undefined) {
        throw conflict(
          `Failed to create function url config for [functionArn = ${functions.arnOf(nameOf(fn), qualifier)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
        );
      }
      if (qualifier !== undefined && findAlias(fn, qualifier) === undefined) {
        throw notFound("Function does not exist");
      }
      if (input.AuthType !== "NONE" && input.AuthType !== "AWS_IAM") {
        throw invalidParameter(`The auth type of a function URL is NONE or AWS_IAM, not ${input.AuthType}`);
      }
      const created: FunctionUrl = {
        id: randomUUID().replaceAll("-", ""),
        qualifier,
        authType: input.AuthType,
        invokeMode: input.InvokeMode ?? "BUFFERED",
        createdAt: now(),
        changedAt: now(),
      };
      functions.put({ ...fn, urls: [...fn.urls, created] });
      return describe(fn, created);
    },

    async GetFunctionUrlConfig({ FunctionName, Qualifier }) {
      const { fn, url } = mustFind(FunctionName, Qualifier);
      return describe(fn, url);
    },

    async UpdateFunctionUrlConfig({ FunctionName, Qualifier, ...input }) {
      refuseOthers("UpdateFunctionUrlConfig", input, covered);
      const { fn, url } = mustFind(FunctionName, Qualifier);
      const changed: FunctionUrl = {
        ...url,
        authType: input.AuthType ?? url.authType,
        invokeMode: input.InvokeMode ?? url.invokeMode,
        changedAt: now(),
      };
      functions.put({ ...fn, urls: fn.urls.map((other) => (other.id === url.id ? changed : other)) });
      return describe(fn, changed);
    },

    async DeleteFunctionUrlConfig({ FunctionName, Qualifier }) {
      const { fn, url } = mustFind(FunctionName, Qualifier);
      functions.put({ ...fn, urls: fn.urls.filter(({ id }) => id !== url.id) });
      return {};
    },

    async ListFunctionUrlConfigs({ FunctionName }) {
      const fn = functions.mustFind(parseReference(FunctionName));
      return { FunctionUrlConfigs: fn.urls.map((url) => describe(fn, url)) };
    },
  };
}
