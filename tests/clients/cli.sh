# The AWS CLI, as a reader of the README would type it.
set -euo pipefail

arn=arn:aws:cloudtrail:us-east-1:$AWS_ACCESS_KEY_ID:trail/audit
began=$(date +%s)

# The CLI prints times as they came, numbers here; this has it read them.
printf '[default]\ncli_timestamp_format = iso8601\n' >config
export AWS_CONFIG_FILE=$PWD/config

step() { echo "$*"; }

fail() {
    echo "$*" >&2
    exit 1
}

# is FOUND EXPECTED
is() { [[ $1 == "$2" ]] || fail "found: $1"$'\n'"expected: $2"; }

# cloudtrail ARGUMENTS…: what the CLI prints, as text
cloudtrail() { aws cloudtrail "$@" --output text; }

# refused CODE ARGUMENTS…: the call is refused with this code, and the CLI says so in its own words
refused() {
    local code=$1 printed
    shift
    if printed=$(aws cloudtrail "$@" 2>&1); then fail "not refused: $*"; fi
    [[ $printed == *"An error occurred ($code) when calling the "*" operation"*": "?* ]] || fail "expected $code: $printed"
}

# just_now TIME: within this trial
just_now() {
    python - "$1" "$began" <<'PY' || fail "$1 is not just now"
import sys, time
from datetime import datetime
moment = datetime.fromisoformat(sys.argv[1])
assert moment.tzinfo and int(sys.argv[2]) <= moment.timestamp() <= time.time()
PY
}

lookup() { cloudtrail lookup-events --query 'Events[].EventName' "$@"; }

step "creates a trail"
is "$(cloudtrail create-trail --name audit --s3-bucket-name cli-logs --query '[Name,S3BucketName,TrailARN]')" \
    "audit"$'\t'"cli-logs"$'\t'"$arn"
refused TrailAlreadyExistsException create-trail --name audit --s3-bucket-name cli-logs
refused InvalidTrailNameException create-trail --name a --s3-bucket-name cli-logs

step "describes it"
is "$(cloudtrail describe-trails --query 'trailList[].[TrailARN,HomeRegion,IsMultiRegionTrail]')" \
    "$arn"$'\t'"us-east-1"$'\t'"False"

step "gets and lists it"
is "$(cloudtrail get-trail --name audit --query 'Trail.[TrailARN,HomeRegion,HasCustomEventSelectors]')" \
    "$arn"$'\t'"us-east-1"$'\t'"False"
cloudtrail create-trail --region eu-west-1 --name theirs --s3-bucket-name cli-logs >theirs
is "$(cloudtrail list-trails --query 'Trails[].[Name,HomeRegion]')" $'theirs\teu-west-1\naudit\tus-east-1'
cloudtrail delete-trail --region eu-west-1 --name theirs
is "$(cloudtrail get-event-selectors --trail-name audit --query 'EventSelectors[].[ReadWriteType,IncludeManagementEvents]')" \
    "All"$'\t'"True"
refused TrailNotFoundException get-trail --name absent

step "chooses what it takes"
selectors() { cloudtrail get-event-selectors --trail-name audit --query "$1"; }
aws cloudtrail put-event-selectors --trail-name audit --event-selectors \
    'ReadWriteType=WriteOnly,DataResources=[{Type=AWS::S3::Object,Values=[arn:aws:s3:::b-1/,arn:aws:s3:::b-2/in]}]' >put
is "$(selectors 'EventSelectors[].[ReadWriteType,IncludeManagementEvents,join(`,`,DataResources[].Values[])]')" \
    "WriteOnly"$'\t'"True"$'\t'"arn:aws:s3:::b-1/,arn:aws:s3:::b-2/in"
aws cloudtrail put-event-selectors --trail-name audit --advanced-event-selectors '[{"Name": "no keys", "FieldSelectors": [
    {"Field": "eventCategory", "Equals": ["Management"]},
    {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}]' >put
is "$(selectors '[EventSelectors,AdvancedEventSelectors[0].Name,AdvancedEventSelectors[0].FieldSelectors[1].NotEquals[0]]')" \
    "None"$'\t'"no keys"$'\t'"kms.amazonaws.com"
is "$(cloudtrail get-trail --name audit --query 'Trail.[HasCustomEventSelectors,HasInsightSelectors]')" "True"$'\t'"False"
refused InvalidEventSelectorsException put-event-selectors --trail-name audit --event-selectors \
    'DataResources=[{Type=AWS::S3::Object,Values=[arn:aws:s3:::*]}]'
refused InsightNotEnabledException get-insight-selectors --trail-name audit
aws cloudtrail put-insight-selectors --trail-name audit --insight-selectors InsightType=ApiCallRateInsight >put
is "$(cloudtrail get-insight-selectors --trail-name audit --query 'InsightSelectors[].InsightType')" "ApiCallRateInsight"
is "$(cloudtrail get-trail --name audit --query Trail.HasInsightSelectors)" "True"
aws cloudtrail put-event-selectors --trail-name audit --event-selectors ReadWriteType=All >put
is "$(cloudtrail get-trail --name audit --query Trail.HasCustomEventSelectors)" "False"

step "tags it"
is "$(cloudtrail add-tags --resource-id "$arn" --tags-list Key=team,Value=a Key=stage,Value=b)" ""
is "$(cloudtrail list-tags --resource-id-list "$arn" --query 'ResourceTagList[].TagsList[].[Key,Value]')" $'team\ta\nstage\tb'
is "$(cloudtrail remove-tags --resource-id "$arn" --tags-list Key=team)" ""
is "$(cloudtrail list-tags --resource-id-list "$arn" --query 'ResourceTagList[].TagsList[].Key')" "stage"
refused ResourceNotFoundException list-tags --resource-id-list "${arn}-absent"

step "starts logging"
is "$(cloudtrail get-trail-status --name audit --query '[IsLogging,StartLoggingTime]')" "False"$'\t'"None"
is "$(cloudtrail start-logging --name audit)" ""
is "$(cloudtrail get-trail-status --name audit --query IsLogging)" "True"
just_now "$(cloudtrail get-trail-status --name audit --query StartLoggingTime)"

step "makes some calls"
is "$(cloudtrail update-trail --name audit --s3-key-prefix cli --query S3KeyPrefix --debug 2>debug.log)" "cli"
request_id=$(grep -ioE "x-amzn-RequestId': '[0-9a-f-]{36}" debug.log | head -n1 | grep -oE '[0-9a-f-]{36}$')
refused TrailNotFoundException update-trail --name absent --s3-key-prefix x
cloudtrail create-trail --name second --s3-bucket-name cli-logs >/dev/null
is "$(cloudtrail delete-trail --name second)" ""

step "looks them up by name"
aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=UpdateTrail >found.json
python - "$request_id" "$AWS_ACCESS_KEY_ID" "$arn" <<'PY'
import json, sys
request_id, account, arn = sys.argv[1:]
refusal, update = json.load(open("found.json"))["Events"]
for event in (refusal, update):
    assert event["EventName"] == "UpdateTrail", event
    assert event["ReadOnly"] == "false", event
    assert event["Username"] == "root", event
    assert event["AccessKeyId"] == account, event
assert {"ResourceType": "Trail", "ResourceName": arn} in update["Resources"], update
record = json.loads(update["CloudTrailEvent"])
assert record["requestID"] == request_id, (record, request_id)
assert record["eventID"] == update["EventId"], record
assert record["userAgent"].startswith("aws-cli/"), record
assert record["requestParameters"] == {"name": "audit", "s3KeyPrefix": "cli"}, record
assert json.loads(refusal["CloudTrailEvent"])["errorCode"] == "TrailNotFoundException", refusal
PY
just_now "$(python -c 'import json; print(json.load(open("found.json"))["Events"][0]["EventTime"])')"

step "looks them up by resource and time"
is "$(lookup --lookup-attributes AttributeKey=ResourceName,AttributeValue=second)" "DeleteTrail"$'\t'"CreateTrail"
is "$(lookup --start-time "$began" --end-time $((began + 3600)))" \
    "DeleteTrail"$'\t'"CreateTrail"$'\t'"UpdateTrail"$'\t'"UpdateTrail"
is "$(lookup --end-time 2020-01-01)" ""
refused InvalidTimeRangeException lookup-events --start-time "$began" --end-time 2020-01-01

step "pages through"
aws cloudtrail lookup-events --page-size 1 --query 'Events[].[EventName,EventId]' --output text >pages
is "$(cut -f1 pages | paste -sd' ' -)" "DeleteTrail CreateTrail UpdateTrail UpdateTrail"
is "$(sort -u pages | wc -l | tr -d ' ')" "4"
first=$(aws cloudtrail lookup-events --max-items 3)
token=$(python -c 'import json, sys; print(json.loads(sys.argv[1])["NextToken"])' "$first")
is "$(lookup --max-items 3 --starting-token "$token")" "UpdateTrail"

step "is throttled"
# Without retries the second page comes within the second of the first.
AWS_MAX_ATTEMPTS=1 refused ThrottlingException lookup-events --page-size 1

step "stops logging"
is "$(cloudtrail stop-logging --name audit)" ""
is "$(cloudtrail get-trail-status --name audit --query IsLogging)" "False"
just_now "$(cloudtrail get-trail-status --name audit --query StopLoggingTime)"

step "deletes the trail"
is "$(cloudtrail delete-trail --name audit)" ""
is "$(cloudtrail describe-trails --query 'length(trailList)')" "0"
refused TrailNotFoundException get-trail-status --name audit
refused TrailNotFoundException delete-trail --name audit
