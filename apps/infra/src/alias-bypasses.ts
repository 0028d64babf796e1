import { isDeepStrictEqual } from "node:util";
import { liveAlias } from "@workspace/shared-config";

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What is read of a template. */
export interface ResourcesOfTemplate {
  readonly Resources?: Readonly<Record<string, Resource>>;
}

/**
 * The resources, by logical id, that name a function where its alias belongs. An event that is sent to the function by
 * itself meets the newest code: before its smoke check, and however small the share of a canary.
 */
export function findBypasses({ Resources: resources = {} }: ResourcesOfTemplate): string[] {
  const entries = Object.entries(resources);
  return entries.flatMap(([functionId, { Type, Properties }]) => {
    if (Type !== "AWS::Lambda::Function") return [];
    const aliasId = entries.find(([, resource]) => isLiveAlias(resource, functionId))?.[0];
    if (aliasId === undefined) return [];
    const bareName = buildBareName(functionId, String(Properties?.FunctionName));
    return entries
      .filter(([, resource]) => !mayNameFunction(resource, aliasId))
      .filter(([, resource]) => bareName.test(JSON.stringify(pickReferences(resource))))
      .map(([logicalId]) => logicalId);
  });
}

function isLiveAlias({ Type, Properties }: Resource, functionId: string): boolean {
  if (Type !== "AWS::Lambda::Alias" || Properties?.Name !== liveAlias) return false;
  return isDeepStrictEqual(Properties.FunctionName, { Ref: functionId });
}

const watchers = ["AWS::CloudWatch::", "AWS::ApplicationSignals::"];

/** Its own parts, what watches it, and what names the alias in a property beside it. */
function mayNameFunction({ Type, Properties }: Resource, aliasId: string): boolean {
  if (["AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias"].includes(Type)) return true;
  if (watchers.some((prefix) => Type.startsWith(prefix))) return true;
  const qualifier = JSON.stringify(Properties?.Qualifier ?? "");
  return qualifier === JSON.stringify(liveAlias) || qualifier.includes(JSON.stringify({ Ref: aliasId }));
}

/** What a resource sends something to; the pattern of a rule only says what it hears of. */
function pickReferences({ Type, Properties = {} }: Resource): unknown {
  return Type === "AWS::Events::Rule" ? (Properties.Targets ?? []) : Properties;
}

/** The function in the JSON of a resource: by reference, or by name where no `:live` follows. */
function buildBareName(functionId: string, functionName: string): RegExp {
  const references = [
    `{"Ref":"${functionId}"}(?!,":${liveAlias}")`,
    `"Fn::GetAtt":\\["${functionId}"`,
    `\\\${${functionId}[.}]`,
  ];
  const name = `(:function:|"FunctionName":")${functionName}(?![\\w-]|:${liveAlias}\\b)`;
  return new RegExp([...references, name].join("|"));
}
