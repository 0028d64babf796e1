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
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: DeletionPolicy;
  readonly status: string;
  readonly updatedAt: number;
}

/** What an operation did so far, so that it can be taken back, by this process or the next. */
export interface Touched {
  readonly logicalId: string;
  /** `undefined` for a resource that is new. */
  readonly before?: StackResource;
  /** `undefined` while the first call is under way; then {@link expectedId} says what it may have made. */
  readonly after?: StackResource;
  readonly expectedId?: string;
  readonly type: string;
}

export interface Operation {
  readonly kind: "create" | "update" | "delete";
  readonly template: string;
  readonly parameters: Parameters;
  readonly tags: readonly object[];
  readonly touched: readonly Touched[];
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
  readonly resources: Readonly<Record<string, StackResource>>;
  readonly tags: readonly object[];
  readonly capabilities: readonly string[];
  readonly roleArn?: string;
  readonly terminationProtection: boolean;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly changeSetId?: string;
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
  readonly ResourceProperties?: string;
  readonly Timestamp: number;
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
