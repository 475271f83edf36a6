use crate::support::TestServer;

#[tokio::test]
async fn the_sdk_creates_a_trail_and_reads_it_back() {
    let server = TestServer::start().await;
    let sdk = server.sdk();
    let created = sdk.create_trail().name("demo").s3_bucket_name("my-bucket").send().await.unwrap();
    assert_eq!(created.trail_arn(), Some("arn:aws:cloudtrail:us-east-1:000000000000:trail/demo"));
    let described = sdk.describe_trails().send().await.unwrap();
    assert_eq!(described.trail_list().len(), 1);
    assert_eq!(described.trail_list()[0].home_region(), Some("us-east-1"));
}
