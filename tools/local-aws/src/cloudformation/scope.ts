import type { ServiceContext } from "../service.ts";
import type { Scope } from "./intrinsics.ts";
import type { Parameters, Stack, StackResource, Stacks } from "./stack.ts";
import { invalid, type Template } from "./template.ts";

export interface ScopeProps {
  readonly stack: Stack;
  readonly template: Template;
  readonly parameters: Parameters;
  /** What `Ref` and `Fn::GetAtt` can see. */
  readonly made: Readonly<Record<string, StackResource>>;
  /** Hears the name of every export that is used. */
  readonly onImport?: (name: string) => void;
}

export type BuildScope = (props: ScopeProps) => Scope;

export function createScopes({ accountId, region }: ServiceContext, stacks: Stacks): BuildScope {
  return ({ stack, template, parameters, made, onImport }) => {
    const mustBeMade = (logicalId: string): StackResource => {
      const resource = made[logicalId];
      if (resource === undefined) throw new Error(`${logicalId} does not exist yet`);
      return resource;
    };
    return {
      template,
      parameters: parameters.resolved,
      pseudo: {
        "AWS::AccountId": accountId,
        "AWS::Region": region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack.name,
        "AWS::StackId": stack.id,
        "AWS::NotificationARNs": [],
      },
      physicalId: (logicalId) => mustBeMade(logicalId).physicalId,
      attribute(logicalId, name) {
        const { attributes, type } = mustBeMade(logicalId);
        if (!Object.hasOwn(attributes, name))
          throw invalid(`Requested attribute ${name} does not exist in schema for ${type}`);
        return attributes[name];
      },
      importValue(name) {
        const exported = stacks
          .list()
          .flatMap(({ outputs }) => outputs)
          .find(({ ExportName }) => ExportName === name);
        if (exported === undefined) throw invalid(`No export named ${name} found.`);
        onImport?.(name);
        return exported.OutputValue;
      },
    };
  };
}
