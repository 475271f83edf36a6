# A trail that delivers into the buckets on Contrail's own port, as a reader of the README would type it: with one
# endpoint for everything.
set -euo pipefail

account=$AWS_ACCESS_KEY_ID
arn=arn:aws:cloudtrail:us-east-1:$account:trail/files
url=$AWS_ENDPOINT_URL_CLOUDTRAIL
unset AWS_ENDPOINT_URL_CLOUDTRAIL
export AWS_ENDPOINT_URL=$url
# An hour and more before the trail: the first digest reaches back so far.
since=$(date -u -d '-2 hours' +%Y-%m-%dT%H:%M:%SZ)

step() { echo "$*"; }

fail() {
    echo "$*" >&2
    exit 1
}

# is FOUND EXPECTED
is() { [[ $1 == "$2" ]] || fail "found: $1"$'\n'"expected: $2"; }

# has TEXT PATTERN: TEXT matches the extended regular expression
has() { grep -qE -- "$2" <<<"$1" || fail "found: $1"$'\n'"expected: $2"; }

flush() { curl --fail --silent --show-error -X POST "$url/_contrail/flush"; }

# validate STATUS: validate-logs ends with it; what it prints
validate() {
    local printed status=0
    printed=$(aws cloudtrail validate-logs --trail-arn "$arn" --start-time "$since" --verbose 2>&1) || status=$?
    [[ $status == "$1" ]] || fail "validate-logs ended with $status: $printed"
    echo "$printed"
}

step "creates a trail, and with it the bucket"
aws cloudtrail create-trail --name files --s3-bucket-name cli-files --s3-key-prefix audit \
    --enable-log-file-validation >/dev/null
aws cloudtrail start-logging --name files
aws cloudtrail describe-trails >/dev/null
aws cloudtrail update-trail --name files --is-multi-region-trail >/dev/null

step "delivers on demand"
flushed=$(flush)
has "$flushed" '"failures":\[\]'
listing=$(aws s3 ls --recursive s3://cli-files)
name="${account}_CloudTrail_us-east-1_[0-9]{8}T[0-9]{4}Z_[A-Za-z0-9]{16}\.json\.gz"
has "$listing" " audit/AWSLogs/$account/CloudTrail/us-east-1/[0-9]{4}/[0-9]{2}/[0-9]{2}/$name\$"
has "$listing" " audit/AWSLogs/$account/CloudTrail-Digest/us-east-1/.*_files_us-east-1_[0-9]{8}T[0-9]{6}Z\.json\.gz\$"
key=$(grep -oE "audit/AWSLogs/$account/CloudTrail/.*\.json\.gz" <<<"$listing" | head -n1)
has "$flushed" "\"key\":\"$key\""
aws s3 cp --quiet "s3://cli-files/$key" file.json.gz
# In any order: a call that only reads is written behind its answer.
is "$(gunzip -c file.json.gz | python -c 'import json, sys; print(*sorted(r["eventName"] for r in json.load(sys.stdin)["Records"]))')" \
    "DescribeTrails UpdateTrail"
has "$(aws cloudtrail get-trail-status --name files)" '"LatestDeliveryTime": '
has "$(aws cloudtrail get-trail-status --name files)" '"LatestDigestDeliveryTime": '

step "validates what it delivered"
has "$(validate 0)" '1/1 log files valid'
aws cloudtrail describe-trails >/dev/null
flush >/dev/null
valid=$(validate 0)
has "$valid" '2/2 log files valid'
has "$valid" 'digest files valid'

step "notices a changed file"
printf '{"Records":[]}' | gzip | aws s3 cp --quiet - "s3://cli-files/$key"
has "$(validate 1)" 'INVALID: hash value doesn'"'"'t match'
aws s3 cp --quiet file.json.gz "s3://cli-files/$key"
has "$(validate 0)" '2/2 log files valid'
aws s3 rm --quiet "s3://cli-files/$key"
has "$(validate 1)" 'INVALID: not found'
aws s3 cp --quiet file.json.gz "s3://cli-files/$key"

step "validates over a stop and a new start"
aws cloudtrail stop-logging --name files
flush >/dev/null
aws cloudtrail start-logging --name files
aws cloudtrail describe-trails >/dev/null
flush >/dev/null
has "$(validate 0)" '4/4 log files valid'

step "is read by trailscraper"
trailscraper download --bucket cli-files --prefix audit/ --account-id "$account" --region us-east-1 \
    --log-dir scraped --from '-1hour' --to now >scraper.log 2>&1 || fail "$(cat scraper.log)"
is "$(find scraped -name '*.json.gz' | wc -l | tr -d ' ')" 4
has "$(trailscraper select --log-dir scraped --from '-1hour' --to now 2>scraper.log)" '"eventName": "UpdateTrail"'

step "delivers the data events that are asked for, as trailscraper sees them"
aws cloudtrail put-event-selectors --trail-name files --event-selectors \
    'ReadWriteType=WriteOnly,DataResources=[{Type=AWS::S3::Object,Values=[arn:aws:s3:::theirs/in]}]' >selectors
object_call() {
    printf '{"eventVersion":"1.11","eventTime":"%s","eventSource":"s3.amazonaws.com","eventName":"%s","awsRegion":"us-east-1",' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1"
    printf '"userIdentity":{"type":"Root","accountId":"%s"},"sourceIPAddress":"192.0.2.1","requestParameters":null,' "$account"
    printf '"readOnly":%s,"eventCategory":"Data","managementEvent":false,"recipientAccountId":"%s","resources":' "$2" "$account"
    printf '[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::theirs/%s"}],"eventID":"%s"}\n' "$3" "data-$1"
}
{
    object_call PutObject false in/1
    object_call DeleteObject false out/1
    object_call GetObject true in/1
} | curl --fail --silent --show-error --data-binary @- "$url/_contrail/events" >imported
has "$(cat imported)" '"accepted":3'
flush >/dev/null
trailscraper download --bucket cli-files --prefix audit/ --account-id "$account" --region us-east-1 \
    --log-dir scraped --from '-1hour' --to now >scraper.log 2>&1 || fail "$(cat scraper.log)"
selected=$(trailscraper select --log-dir scraped --from '-1hour' --to now 2>scraper.log)
has "$selected" '"eventName": "PutObject"'
has "$selected" '"eventName": "PutEventSelectors"'
if grep -E '"eventName": "(Get|Delete)Object"' <<<"$selected"; then fail "delivered what nobody asked for"; fi
is "$(aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=PutObject --query 'Events')" '[]'

step "validates a region in which nothing was delivered"
has "$(aws cloudtrail validate-logs --region eu-west-1 --trail-arn "$arn" --start-time "$since")" 'No digests found'

step "takes a subscription"
aws cloudtrail create-subscription --name sub --s3-new-bucket cli-subscription >subscribed
has "$(aws s3api get-bucket-policy --bucket cli-subscription --query Policy --output text)" \
    "arn:aws:s3:::cli-subscription/AWSLogs/$account/\*"
is "$(aws cloudtrail get-trail-status --name sub --query IsLogging)" true
# The policy that it has given the bucket is for the folder without a prefix.
policy=$(aws s3api get-bucket-policy --bucket cli-subscription --query Policy --output text)
moved=$(aws cloudtrail update-subscription --name sub --s3-prefix moved 2>&1) && fail "not refused: $moved"
has "$moved" InsufficientS3BucketPolicyException
aws s3api put-bucket-policy --bucket cli-subscription --policy "${policy//cli-subscription\/AWSLogs/cli-subscription/moved/AWSLogs}"
aws cloudtrail update-subscription --name sub --s3-prefix moved >updated
is "$(aws cloudtrail describe-trails --trail-name-list sub --query 'trailList[0].S3KeyPrefix' --output text)" moved
aws cloudtrail delete-trail --name sub
aws cloudtrail delete-trail --name files
has "$(flush)" '"failures":\[\]'
has "$(aws s3 ls --recursive s3://cli-subscription/moved/)" 'CloudTrail_us-east-1_'
