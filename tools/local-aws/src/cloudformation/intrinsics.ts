import { invalid, type Template, type TemplateResource } from "./template.ts";

/** What an expression can refer to. */
export interface Scope {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** `AWS::Region` and the like. */
  readonly pseudo: Readonly<Record<string, unknown>>;
  /** @throws where it does not exist yet */
  readonly physicalId: (logicalId: string) => unknown;
  readonly attribute: (logicalId: string, name: string) => unknown;
  readonly importValue: (name: string) => unknown;
}

const noValue = Symbol("AWS::NoValue");

/** Evaluates an expression of a template. What is `AWS::NoValue` is left out of what holds it. */
export function evaluate(expression: unknown, scope: Scope): unknown {
  const value = evaluateInner(expression, scope);
  return value === noValue ? undefined : value;
}

function evaluateInner(expression: unknown, scope: Scope): unknown {
  if (Array.isArray(expression)) {
    return expression.map((item) => evaluateInner(item, scope)).filter((item) => item !== noValue);
  }
  if (typeof expression !== "object" || expression === null) return expression;
  const entries = Object.entries(expression);
  const [name, argument] = entries[0] ?? ["", undefined];
  if (entries.length === 1 && (name === "Ref" || name === "Condition" || name.startsWith("Fn::"))) {
    const fn = functions[name];
    // A policy statement has a member `Condition`, too.
    if (fn !== undefined && (name !== "Condition" || typeof argument === "string"))
      return fn(argument, scope);
  }
  const evaluated = entries.map(([key, value]) => [key, evaluateInner(value, scope)] as const);
  return Object.fromEntries(evaluated.filter(([, value]) => value !== noValue));
}

type Fn = (argument: unknown, scope: Scope) => unknown;

const list = (argument: unknown, scope: Scope) => evaluateInner(argument, scope) as unknown[];
const truth = (argument: unknown, scope: Scope) => evaluateInner(argument, scope) === true;

const functions: Readonly<Record<string, Fn>> = {
  Ref: (name, scope) => refer(String(name), scope),
  Condition: (name, scope) => evaluateCondition(String(name), scope),
  "Fn::GetAtt": (argument, scope) => {
    const [logicalId = "", name = ""] = Array.isArray(argument) ? argument : splitOnce(String(argument));
    return scope.attribute(String(logicalId), String(evaluateInner(name, scope)));
  },
  "Fn::Sub": (argument, scope) => {
    const [text, variables = {}] = (Array.isArray(argument) ? argument : [argument]) as [
      string,
      Record<string, unknown>?,
    ];
    return text.replace(/\$\{([^}]+)\}/g, (whole, name: string) => {
      if (name.startsWith("!")) return `\${${name.slice(1)}}`;
      const known = name.trim();
      if (Object.hasOwn(variables, known)) return String(evaluateInner(variables[known], scope));
      if (known.includes(".") && !known.startsWith("AWS::")) {
        const [logicalId = "", attribute = ""] = splitOnce(known);
        return String(scope.attribute(logicalId, attribute));
      }
      const value = refer(known, scope);
      return value === noValue ? whole : String(value);
    });
  },
  "Fn::Join": (argument, scope) => {
    const [delimiter, items] = list(argument, scope) as [string, unknown[]];
    return items.map(String).join(delimiter);
  },
  "Fn::If": (argument, scope) => {
    const [name, yes, no] = argument as [string, unknown, unknown];
    return evaluateInner(evaluateCondition(name, scope) ? yes : no, scope);
  },
  "Fn::Equals": (argument, scope) => {
    const [a, b] = list(argument, scope);
    return JSON.stringify(a) === JSON.stringify(b) || String(a) === String(b);
  },
  "Fn::Not": (argument, scope) => !truth((argument as unknown[])[0], scope),
  "Fn::And": (argument, scope) => (argument as unknown[]).every((item) => truth(item, scope)),
  "Fn::Or": (argument, scope) => (argument as unknown[]).some((item) => truth(item, scope)),
  "Fn::Contains": (argument, scope) => {
    const [items, item] = list(argument, scope) as [unknown[], unknown];
    return items.map(String).includes(String(item));
  },
  "Fn::Select": (argument, scope) => {
    const [index, items] = list(argument, scope) as [unknown, unknown[]];
    return items[Number(index)];
  },
  "Fn::Split": (argument, scope) => {
    const [delimiter, text] = list(argument, scope) as [string, string];
    return text.split(delimiter);
  },
  "Fn::FindInMap": (argument, scope) => {
    const [map, top, second] = list(argument, scope).map(String);
    const value = scope.template.Mappings?.[map ?? ""]?.[top ?? ""]?.[second ?? ""];
    if (value === undefined)
      throw invalid(`Template error: Unable to get mapping for ${map}::${top}::${second}`);
    return value;
  },
  "Fn::ImportValue": (argument, scope) => scope.importValue(String(evaluateInner(argument, scope))),
  "Fn::Base64": (argument, scope) => Buffer.from(String(evaluateInner(argument, scope))).toString("base64"),
};

export function isCovered(name: string): boolean {
  return Object.hasOwn(functions, name);
}

function refer(name: string, scope: Scope): unknown {
  if (name === "AWS::NoValue") return noValue;
  if (Object.hasOwn(scope.pseudo, name)) return scope.pseudo[name];
  if (Object.hasOwn(scope.parameters, name)) return scope.parameters[name];
  if (Object.hasOwn(scope.template.Resources, name)) return scope.physicalId(name);
  throw invalid(
    `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
  );
}

export function evaluateCondition(name: string, scope: Scope): boolean {
  const condition = scope.template.Conditions?.[name];
  if (condition === undefined) throw invalid(`Template format error: Unresolved condition ${name}`);
  return truth(condition, scope);
}

/** Logical ids that a resource must wait for: named in DependsOn, or anywhere in its properties. */
function findDependencies({ Properties, DependsOn = [] }: TemplateResource, template: Template): Set<string> {
  const found = new Set<string>([DependsOn].flat() as string[]);
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== "object" || node === null || Array.isArray(node)) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "Ref") found.add(String(value));
      else if (key === "Fn::GetAtt")
        found.add(String(Array.isArray(value) ? value[0] : splitOnce(String(value))[0]));
      else {
        if (key === "Fn::Sub") for (const name of findSubstituted(value)) found.add(name);
        visit(value);
      }
    }
  };
  visit(Properties);
  return new Set([...found].filter((name) => Object.hasOwn(template.Resources, name)));
}

/** What `Fn::Sub` refers to: parameters, pseudo parameters and resources, without the attribute's name. */
export function findSubstituted(argument: unknown): string[] {
  const [text, variables = {}] = [argument].flat() as [unknown, object?];
  return [...String(text).matchAll(/\$\{([^!}.][^}.]*)[^}]*\}/g)]
    .map(([, name = ""]) => name.trim())
    .filter((name) => !Object.hasOwn(variables, name));
}

/** Every logical id after those that it depends on. @throws ServiceException for a circle */
export function orderResources(template: Template): string[] {
  const ordered: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (logicalId: string, path: readonly string[]): void => {
    if (state.get(logicalId) === "done") return;
    if (state.get(logicalId) === "open")
      throw invalid(`Circular dependency between resources: [${path.join(", ")}]`);
    state.set(logicalId, "open");
    const resource = template.Resources[logicalId];
    if (resource === undefined)
      throw invalid(`Template format error: Unresolved resource dependencies [${logicalId}]`);
    for (const needed of findDependencies(resource, template)) visit(needed, [...path, logicalId]);
    state.set(logicalId, "done");
    ordered.push(logicalId);
  };
  for (const logicalId of Object.keys(template.Resources)) visit(logicalId, []);
  return ordered;
}

function splitOnce(value: string): [string, string] {
  const at = value.indexOf(".");
  return at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1)];
}
