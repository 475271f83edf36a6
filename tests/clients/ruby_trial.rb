# The AWS SDK for Ruby v1, which speaks the query protocol: forms, and answers in XML.

require "aws-sdk-v1"

ACCOUNT = ENV.fetch("AWS_ACCESS_KEY_ID")
server = URI(ENV.fetch("AWS_ENDPOINT_URL_CLOUDTRAIL"))
AWS.config(access_key_id: ACCOUNT, secret_access_key: ENV.fetch("AWS_SECRET_ACCESS_KEY"), region: "us-east-1")
CLIENT = AWS::CloudTrail::Client.new(
  cloud_trail_endpoint: server.host, cloud_trail_port: server.port, use_ssl: false, max_retries: 0
)

def step(text)
  puts text
  $stdout.flush
end

def equal(found, expected)
  raise "#{found.inspect} is not #{expected.inspect}" unless found == expected
end

def refused(error)
  yield
rescue error => e
  equal(e.http_response.status, 400)
  raise "#{error} says nothing" if e.message.empty?
else
  raise "not refused with #{error}"
end

def just_now(time)
  raise "#{time.inspect} is not now" unless time.is_a?(Time) && (Time.now - time).between?(-1, 600)
end

Errors = AWS::CloudTrail::Errors

step("creates a trail")
made = CLIENT.create_trail(name: "gem", s3_bucket_name: "ruby-logs", include_global_service_events: false)
equal([made[:name], made[:s3_bucket_name], made[:include_global_service_events]], ["gem", "ruby-logs", false])
refused(Errors::TrailAlreadyExistsException) { CLIENT.create_trail(name: "gem", s3_bucket_name: "ruby-logs") }
refused(Errors::InvalidTrailNameException) { CLIENT.create_trail(name: "a", s3_bucket_name: "ruby-logs") }
refused(Errors::InvalidS3BucketNameException) { CLIENT.create_trail(name: "other", s3_bucket_name: "NO") }

step("describes it")
equal(CLIENT.describe_trails[:trail_list].map { |trail| trail[:name] }, ["gem"])
(found,) = CLIENT.describe_trails(trail_name_list: %w[gem absent])[:trail_list]
equal([found[:name], found[:include_global_service_events]], ["gem", false])
equal(CLIENT.describe_trails(trail_name_list: ["absent"])[:trail_list], [])

step("starts logging")
equal(CLIENT.get_trail_status(name: "gem")[:is_logging], false)
CLIENT.start_logging(name: "gem")
status = CLIENT.get_trail_status(name: "gem")
equal(status[:is_logging], true)
just_now(status[:start_logging_time])

step("changes it")
changed = CLIENT.update_trail(name: "gem", s3_key_prefix: "ruby & co", include_global_service_events: true)
equal([changed[:s3_key_prefix], changed[:include_global_service_events]], ["ruby & co", true])
refused(Errors::TrailNotFoundException) { CLIENT.update_trail(name: "absent", s3_key_prefix: "x") }

step("stops logging")
CLIENT.stop_logging(name: "gem")
status = CLIENT.get_trail_status(name: "gem")
equal(status[:is_logging], false)
just_now(status[:stop_logging_time])

step("deletes the trail")
CLIENT.delete_trail(name: "gem")
equal(CLIENT.describe_trails[:trail_list], [])
refused(Errors::TrailNotFoundException) { CLIENT.get_trail_status(name: "gem") }
