import { type CollectionTag, parse, type ScalarTag } from "yaml";
import { ServiceException } from "../service.ts";

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: DeletionPolicy;
  readonly UpdateReplacePolicy?: DeletionPolicy;
  readonly Metadata?: object;
}

export type DeletionPolicy = "Delete" | "Retain" | "RetainExceptOnCreate" | "Snapshot";

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: unknown;
  readonly AllowedValues?: readonly unknown[];
  readonly NoEcho?: boolean;
}

export interface Template {
  readonly Description?: string;
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Mappings?: Readonly<Record<string, Record<string, Record<string, unknown>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Rules?: Readonly<
    Record<string, { readonly RuleCondition?: unknown; readonly Assertions: readonly Assertion[] }>
  >;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

export interface Assertion {
  readonly Assert: unknown;
  readonly AssertDescription?: string;
}

export interface TemplateOutput {
  readonly Value: unknown;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: unknown };
}

const sections = [
  "AWSTemplateFormatVersion",
  "Description",
  "Metadata",
  "Parameters",
  "Mappings",
  "Conditions",
  "Rules",
  "Resources",
  "Outputs",
];

/** @throws ServiceException `ValidationError` */
export function parseTemplate(text: string): Template {
  let parsed: unknown;
  try {
    parsed = text.trimStart().startsWith("{") ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    throw invalid(`Template format error: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || !("Resources" in parsed)) {
    throw invalid("Template format error: At least one Resources member must be defined.");
  }
  const unknown = Object.keys(parsed).filter((name) => !sections.includes(name));
  if (unknown.length > 0)
    throw invalid(`local-aws: the template section ${unknown.join(", ")} is not covered`);
  return parsed as Template;
}

/** Short forms are nodes of the document until JSON is made of them. */
function parseYaml(text: string): unknown {
  return JSON.parse(JSON.stringify(parse(text, { customTags: shortForms })));
}

/** `!Ref x` and `!GetAtt a.b` as the long forms that they stand for. */
const shortForms = [
  "Ref",
  "Condition",
  "GetAtt",
  "Sub",
  "Join",
  "If",
  "Equals",
  "Not",
  "And",
  "Or",
  "Select",
  "Split",
  "FindInMap",
  "ImportValue",
  "Base64",
].flatMap((name): (ScalarTag | CollectionTag)[] => {
  const long = name === "Ref" || name === "Condition" ? name : `Fn::${name}`;
  const tag = `!${name}`;
  return [
    { tag, resolve: (value: string) => ({ [long]: name === "GetAtt" ? splitOnce(value) : value }) },
    { tag, collection: "seq", resolve: (node) => wrap(long, node) },
    { tag, collection: "map", resolve: (node) => wrap(long, node) },
  ] as (ScalarTag | CollectionTag)[];
});

function wrap(long: string, node: { toJSON(): unknown }): object {
  return { toJSON: () => ({ [long]: node.toJSON() }) };
}

function splitOnce(value: string): string[] {
  const at = value.indexOf(".");
  return [value.slice(0, at), value.slice(at + 1)];
}

export function invalid(message: string): ServiceException {
  return new ServiceException("ValidationError", message);
}
