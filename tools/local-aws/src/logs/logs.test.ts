import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../testing/test-server.ts";

let server: TestServer;
let logs: CloudWatchLogsClient;
let count = 0;
/** A group of its own for each test. */
let logGroupName: string;
beforeAll(async () => {
  server = await startTestServer();
  logs = new CloudWatchLogsClient(server.clientConfig);
});
beforeEach(async () => {
  count += 1;
  logGroupName = `/test/group-${count}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
});
afterAll(() => server?.stop());

const put = (logStreamName: string, ...events: [timestamp: number, message: string][]) =>
  logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName,
      logEvents: events.map(([timestamp, message]) => ({ timestamp, message })),
    }),
  );
const filter = async (more = {}) => {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, ...more }));
  return events.map(({ message }) => message);
};

describe("a log group", () => {
  it("exists once, with its retention, until it is deleted", async () => {
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({
      name: "ResourceAlreadyExistsException",
    });
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }));
    const find = async () =>
      (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }))).logGroups;
    expect(await find()).toMatchObject([
      {
        logGroupName,
        retentionInDays: 7,
        arn: `arn:aws:logs:eu-central-1:000000000000:log-group:${logGroupName}:*`,
      },
    ]);
    await put("a", [1, "lost"]);
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    await expect(filter()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    expect(await filter()).toEqual([]);
  });

  it("refuses a retention that there is not", async () => {
    const command = new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 8 });
    await expect(logs.send(command)).rejects.toMatchObject({ name: "InvalidParameterException" });
  });
});

describe("events", () => {
  it("of all streams come in the order of time, filtered by time, stream and words", async () => {
    await put("a", [10, "one ERROR"], [30, "three"]);
    await put("b", [20, "two ERROR"]);
    expect(await filter()).toEqual(["one ERROR", "two ERROR", "three"]);
    expect(await filter({ startTime: 20, endTime: 20 })).toEqual(["two ERROR"]);
    expect(await filter({ filterPattern: "ERROR" })).toEqual(["one ERROR", "two ERROR"]);
    expect(await filter({ logStreamNames: ["b"] })).toEqual(["two ERROR"]);
  });

  it("come by pages", async () => {
    await put("a", [1, "1"], [2, "2"], [3, "3"]);
    const pages: number[] = [];
    for await (const page of paginateFilterLogEvents({ client: logs, pageSize: 2 }, { logGroupName })) {
      pages.push(page.events?.length ?? 0);
    }
    expect(pages).toEqual([2, 1]);
  });

  it("of a stream are followed with the token", async () => {
    await put("a", [1, "1"], [2, "2"]);
    const get = (nextToken?: string) =>
      logs.send(
        new GetLogEventsCommand({ logGroupName, logStreamName: "a", startFromHead: true, nextToken }),
      );
    const first = await get();
    expect(first.events).toMatchObject([{ message: "1" }, { message: "2" }]);
    const end = await get(first.nextForwardToken);
    expect([end.events, end.nextForwardToken]).toEqual([[], first.nextForwardToken]);
    await put("a", [3, "3"]);
    expect((await get(end.nextForwardToken)).events).toMatchObject([{ message: "3" }]);
  });

  it("say when a stream was last written to", async () => {
    await put("b", [5, "x"]);
    await put("a", [7, "x"]);
    const command = new DescribeLogStreamsCommand({
      logGroupName,
      orderBy: "LastEventTime",
      descending: true,
    });
    const { logStreams } = await logs.send(command);
    expect(logStreams).toMatchObject([
      { logStreamName: "a", lastEventTimestamp: 7 },
      { logStreamName: "b", firstEventTimestamp: 5 },
    ]);
  });

  it("are there after the server was killed", async () => {
    await put("a", [1, "kept"]);
    await server.restart("SIGKILL");
    expect(await filter()).toEqual(["kept"]);
  });
});
