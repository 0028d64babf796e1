import { buildAwsError } from "./aws-answer.ts";
import type { FakeLambda } from "./fake-lambda.ts";

/** What the model's stacks say of a function. */
export interface StackTemplate {
  readonly imageUri: string;
  readonly memoryMiB: number;
}

export interface StackStart {
  readonly stackName: string;
  readonly template: StackTemplate;
  /** Whether a resource beside the function fails, once the function has been changed. */
  readonly fails: boolean;
}

export interface Stack {
  readonly status: string;
  /** The last that was deployed whole. */
  readonly template: StackTemplate | undefined;
}

export interface FakeCloudFormationProps {
  readonly lambda: FakeLambda;
  /** Goes on after a while, whatever became of who started the stack. */
  readonly later: (happen: () => void) => void;
}

/** Creates and updates functions as CloudFormation does: without asking anybody, and back again where something fails. */
export function createFakeCloudFormation({ lambda, later }: FakeCloudFormationProps) {
  const stacks = new Map<string, Stack>();

  const set = (stackName: string, status: string, template: StackTemplate | undefined) =>
    stacks.set(stackName, { status, template });

  /** Changes what differs between two templates, one thing after the other, each once the function is idle. */
  function apply(name: string, from: StackTemplate, to: StackTemplate, done: (error: unknown) => void): void {
    const changes = [
      ...(from.imageUri === to.imageUri ? [] : [{ imageUri: to.imageUri }]),
      ...(from.memoryMiB === to.memoryMiB ? [] : [{ memoryMiB: to.memoryMiB }]),
    ];
    const next = (): void => {
      const change = lambda.isBusy(name) ? undefined : changes.shift();
      if (change === undefined && !lambda.isBusy(name)) {
        done(undefined);
        return;
      }
      try {
        if (change !== undefined) lambda.changeLatest(name, change);
        later(next);
      } catch (error) {
        done(error);
      }
    };
    later(next);
  }

  function create({ stackName, template, fails }: StackStart): void {
    set(stackName, "CREATE_IN_PROGRESS", undefined);
    later(() => {
      try {
        if (fails) throw buildAwsError("ResourceFailed");
        lambda.create(stackName, template.imageUri, template.memoryMiB);
        set(stackName, "CREATE_COMPLETE", template);
      } catch {
        // Why a resource failed is in a stack's events, which nothing here reads.
        set(stackName, "ROLLBACK_COMPLETE", undefined);
      }
    });
  }

  function update({ stackName, template, fails }: StackStart, last: StackTemplate): void {
    set(stackName, "UPDATE_IN_PROGRESS", last);
    apply(stackName, last, template, (error) => {
      if (error === undefined && !fails) return set(stackName, "UPDATE_COMPLETE", template);
      set(stackName, "UPDATE_ROLLBACK_IN_PROGRESS", last);
      apply(stackName, template, last, (second) =>
        set(stackName, second === undefined ? "UPDATE_ROLLBACK_COMPLETE" : "UPDATE_ROLLBACK_FAILED", last),
      );
    });
  }

  return {
    find: (stackName: string) => stacks.get(stackName),
    operations: {
      StartStack(start: StackStart) {
        const { status, template: last } = stacks.get(start.stackName) ?? {};
        if (status?.endsWith("_IN_PROGRESS")) throw buildAwsError("ValidationError", `Stack is ${status}`);
        if (last === undefined) create(start);
        else update(start, last);
        return {};
      },
      DescribeStacks({ StackName }: { StackName: string }) {
        const stack = stacks.get(StackName);
        if (stack === undefined)
          throw buildAwsError("ValidationError", `Stack with id ${StackName} does not exist`);
        return { Stacks: [{ StackStatus: stack.status }] };
      },
      GetTemplate({ StackName }: { StackName: string }) {
        const stack = stacks.get(StackName);
        if (stack === undefined)
          throw buildAwsError("ValidationError", `Stack with id ${StackName} does not exist`);
        const { imageUri: ImageUri, memoryMiB: MemorySize } = stack.template ?? {};
        const fn = { Type: "AWS::Lambda::Function", Properties: { Code: { ImageUri }, MemorySize } };
        return {
          TemplateBody: JSON.stringify({ Resources: stack.template === undefined ? {} : { Function: fn } }),
        };
      },
    },
  };
}
