import { randomUUID } from "node:crypto";
import type { ServiceContext } from "../service.ts";
import type { DeletionPolicy } from "./template.ts";

/** As they were given, and what they stand for: a parameter of an SSM type is given as the name of one. */
export interface Parameters {
  readonly given: Readonly<Record<string, unknown>>;
  readonly resolved: Readonly<Record<string, unknown>>;
}

export const noParameters: Parameters = { given: {}, resolved: {} };

/** A resource as the stack has it: with the property values that it was made from. */
export interface StackResource {
  readonly type: string;
  readonly physicalId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: DeletionPolicy;
  readonly status: string;
  readonly updatedAt: number;
}

/** What an operation did to one resource so far, for the rollback and for a restart. */
export interface Touched {
  readonly logicalId: string;
  readonly change: "create" | "update";
  /** `undefined` for a resource that the stack did not have. */
  readonly before?: StackResource;
  /** As it was to become. The physical id is empty until there is one. */
  readonly wanted: StackResource;
}

export interface Operation {
  readonly kind: "create" | "update" | "delete";
  readonly template: string;
  readonly parameters: Parameters;
  readonly tags: readonly object[];
  /** Oldest first. */
  readonly touched: readonly Touched[];
  /** What the update no longer needs, to be removed once it stands. */
  readonly leftovers: readonly (readonly [logicalId: string, resource: StackResource])[];
  readonly onFailure: "ROLLBACK" | "DELETE" | "DO_NOTHING";
}

export interface Stack {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly description?: string;
  /** As it was given; empty before the first change set is executed. */
  readonly template: string;
  readonly parameters: Parameters;
  readonly outputs: readonly {
    readonly OutputKey: string;
    readonly OutputValue: string;
    readonly Description?: string;
    readonly ExportName?: string;
  }[];
  /** Names of other stacks' exports that this one uses. */
  readonly imports: readonly string[];
  /** What there is right now, in the order in which it was made. */
  readonly resources: Readonly<Record<string, StackResource>>;
  readonly tags: readonly object[];
  readonly capabilities: readonly string[];
  readonly roleArn?: string;
  readonly terminationProtection: boolean;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly changeSetId?: string;
  /** What is under way, or what a failed rollback could not take back. */
  readonly operation?: Operation;
}

export interface StackEvent {
  readonly EventId: string;
  readonly StackId: string;
  readonly StackName: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId: string;
  readonly ResourceType: string;
  readonly ResourceStatus: string;
  readonly ResourceStatusReason?: string;
  readonly Timestamp: number;
}

export function isBusy({ status }: Stack): boolean {
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";
}

/** Stacks and their events on disk. */
export function openStacks({ store, now, region, accountId }: ServiceContext) {
  const find = (reference: string): Stack | undefined =>
    reference.startsWith("arn:")
      ? store.get<Stack>(`stack ${reference}`)
      : store.get<Stack>(`stack ${store.get<string>(`name ${reference}`)}`);

  function save(stack: Stack): Stack {
    store.put(`stack ${stack.id}`, stack);
    if (stack.status === "DELETE_COMPLETE") store.delete(`name ${stack.name}`);
    else store.put(`name ${stack.name}`, stack.id);
    return stack;
  }

  function addEvent(
    stack: Stack,
    event: Pick<
      StackEvent,
      "LogicalResourceId" | "PhysicalResourceId" | "ResourceType" | "ResourceStatus" | "ResourceStatusReason"
    >,
  ): void {
    const count = store.keys(`event ${stack.id} `).length;
    const full: StackEvent = {
      EventId: randomUUID(),
      StackId: stack.id,
      StackName: stack.name,
      Timestamp: now(),
      ...event,
    };
    store.put(`event ${stack.id} ${String(count).padStart(8, "0")}`, full);
  }

  return {
    find,
    save,
    addEvent,
    /** A new status of the stack itself. */
    setStatus(stack: Stack, status: string, reason?: string, changes: Partial<Stack> = {}): Stack {
      const changed = save({ ...stack, ...changes, status, statusReason: reason });
      addEvent(changed, {
        LogicalResourceId: stack.name,
        PhysicalResourceId: stack.id,
        ResourceType: "AWS::CloudFormation::Stack",
        ResourceStatus: status,
        ResourceStatusReason: reason,
      });
      return changed;
    },
    buildId: (name: string) => `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/${randomUUID()}`,
    list: () => store.keys("name ").flatMap((key) => find(key.slice("name ".length)) ?? []),
    /** Newest first. */
    events: (id: string) =>
      store
        .keys(`event ${id} `)
        .reverse()
        .flatMap((key) => store.get<StackEvent>(key) ?? []),
  };
}

export type Stacks = ReturnType<typeof openStacks>;
