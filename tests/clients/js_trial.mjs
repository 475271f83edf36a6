// The AWS SDK for JavaScript, version 3: the short target prefix, typed exceptions, dates.

import assert from "node:assert/strict";
import {
  CloudTrailClient,
  CreateTrailCommand,
  DeleteTrailCommand,
  DescribeTrailsCommand,
  GetTrailStatusCommand,
  InvalidNextTokenException,
  InvalidS3BucketNameException,
  LookupEventsCommand,
  StartLoggingCommand,
  StopLoggingCommand,
  TrailAlreadyExistsException,
  TrailNotFoundException,
  UpdateTrailCommand,
  paginateLookupEvents,
} from "@aws-sdk/client-cloudtrail";

const account = process.env.AWS_ACCESS_KEY_ID;
const arn = `arn:aws:cloudtrail:us-east-1:${account}:trail/audit`;
const Name = "audit";
const client = new CloudTrailClient({});
const hasty = new CloudTrailClient({ maxAttempts: 1 });
const began = Math.floor(Date.now() / 1000) * 1000;

const step = (text) => console.log(text);
const names = ({ Events }) => Events.map((event) => event.EventName);

async function refused(exception, command) {
  try {
    await client.send(command);
  } catch (error) {
    assert.ok(error instanceof exception, `${error} is no ${exception.name}`);
    assert.equal(error.name, exception.name);
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.ok(error.message, "a refusal says why");
    return error;
  }
  assert.fail(`not refused with ${exception.name}`);
}

function justNow(time) {
  assert.ok(time instanceof Date, `${time} is no date`);
  assert.ok(began <= time && time <= Date.now(), `${time} is not since the start`);
}

// Retries by itself until the second is over.
function lookup(AttributeKey, AttributeValue, more = {}) {
  const attributes = AttributeKey ? { LookupAttributes: [{ AttributeKey, AttributeValue }] } : {};
  return client.send(new LookupEventsCommand({ ...attributes, ...more }));
}

step("creates a trail");
const trail = await client.send(new CreateTrailCommand({ Name, S3BucketName: "js-logs" }));
assert.equal(trail.TrailARN, arn);
assert.equal(trail.S3BucketName, "js-logs");
assert.equal(trail.IsMultiRegionTrail, false);
await refused(TrailAlreadyExistsException, new CreateTrailCommand({ Name, S3BucketName: "js-logs" }));
await refused(InvalidS3BucketNameException, new CreateTrailCommand({ Name: "other", S3BucketName: "NO" }));

step("describes it");
const { trailList } = await client.send(new DescribeTrailsCommand({ trailNameList: [arn] }));
assert.deepEqual(trailList.map((t) => [t.TrailARN, t.HomeRegion]), [[arn, "us-east-1"]]);

step("starts logging");
let status = await client.send(new GetTrailStatusCommand({ Name }));
assert.equal(status.IsLogging, false);
assert.equal(status.StartLoggingTime, undefined);
await client.send(new StartLoggingCommand({ Name }));
status = await client.send(new GetTrailStatusCommand({ Name }));
assert.equal(status.IsLogging, true);
justNow(status.StartLoggingTime);

step("makes some calls");
const updated = await client.send(new UpdateTrailCommand({ Name, S3KeyPrefix: "js" }));
assert.equal(updated.S3KeyPrefix, "js");
const absent = await refused(TrailNotFoundException, new UpdateTrailCommand({ Name: "absent", S3KeyPrefix: "x" }));
await client.send(new CreateTrailCommand({ Name: "second", S3BucketName: "js-logs" }));
await client.send(new DeleteTrailCommand({ Name: "second" }));

step("looks them up by name");
const { Events } = await lookup("EventName", "UpdateTrail");
const records = Events.map((event) => JSON.parse(event.CloudTrailEvent));
assert.deepEqual(
  records.map((record) => record.requestID),
  [absent.$metadata.requestId, updated.$metadata.requestId],
);
for (const [i, event] of Events.entries()) {
  assert.equal(event.ReadOnly, "false");
  assert.equal(event.Username, "root");
  assert.equal(event.AccessKeyId, account);
  assert.equal(event.EventId, records[i].eventID);
  justNow(event.EventTime);
  assert.equal(records[i].eventTime, event.EventTime.toISOString().replace(".000Z", "Z"));
  assert.match(records[i].userAgent, /^aws-sdk-js\/3/);
}
assert.equal(records[0].errorCode, "TrailNotFoundException");
assert.equal(records[0].errorMessage, absent.message);
assert.deepEqual(records[1].requestParameters, { name: "audit", s3KeyPrefix: "js" });

step("looks them up by resource and time");
const everything = ["DeleteTrail", "CreateTrail", "UpdateTrail", "UpdateTrail"];
assert.deepEqual(names(await lookup("ResourceName", "second")), everything.slice(0, 2));
const later = new Date(Date.now() + 60_000);
assert.deepEqual(names(await lookup(null, null, { StartTime: new Date(began), EndTime: later })), everything);
assert.deepEqual(names(await lookup(null, null, { EndTime: new Date(began - 60_000) })), []);

step("pages through");
const found = [];
for await (const page of paginateLookupEvents({ client, pageSize: 1 }, {})) {
  assert.equal(page.Events.length, 1);
  found.push(...page.Events);
}
assert.deepEqual(names({ Events: found }), everything);
assert.equal(new Set(found.map((event) => event.EventId)).size, 4);
await refused(InvalidNextTokenException, new LookupEventsCommand({ NextToken: "garbage" }));

step("is throttled");
let throttled;
for (let attempt = 0; attempt < 50 && !throttled; attempt++) {
  throttled = await hasty.send(new LookupEventsCommand({})).then(
    () => undefined,
    (error) => error,
  );
}
assert.equal(throttled?.name, "ThrottlingException");
assert.equal(throttled.message, "Rate exceeded");
assert.equal(throttled.$metadata.httpStatusCode, 400);
assert.equal(throttled.$metadata.attempts, 1);

step("stops logging");
await client.send(new StopLoggingCommand({ Name }));
status = await client.send(new GetTrailStatusCommand({ Name }));
assert.equal(status.IsLogging, false);
justNow(status.StopLoggingTime);

step("deletes the trail");
await client.send(new DeleteTrailCommand({ Name }));
assert.deepEqual((await client.send(new DescribeTrailsCommand({}))).trailList, []);
await refused(TrailNotFoundException, new GetTrailStatusCommand({ Name }));
await refused(TrailNotFoundException, new DeleteTrailCommand({ Name }));
