PRAGMA application_id = 1129599564;
BEGIN TRANSACTION;
CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO "_sqlx_migrations" VALUES(1,'settings','2026-11-25 10:38:48',1,X'C2D54C520637A1452F8C7691BA8EE40E85A7EA624AA628F41DD556F7D072C25ADD80051565677DB88AF2DD7C0C0C5FCE',599119);
INSERT INTO "_sqlx_migrations" VALUES(2,'trails','2026-11-25 10:38:48',1,X'028C4E7EBF0FB4BF102C2BFC428B7BA11FBD9F06243E36FE7364C79FD2562549762D3BBEDD1D1E66C0641B4ED747D9B0',749542);
INSERT INTO "_sqlx_migrations" VALUES(3,'events','2026-11-25 10:38:48',1,X'0720B32A0188ED97F0F088EDDCA2C0565D7D00C4D145AF027DAB72BA2CA84D8B23C3909E6633378F0DE867470AD20B10',1091989);
INSERT INTO "_sqlx_migrations" VALUES(4,'views','2026-11-25 10:38:48',1,X'0598C36495243B7CC4A2F44B6F2A3CA6D2DF99C5CD5ED64EDB1B169CD6BCAEBC7879E99527579E47D1A48846625A09BE',546530);
INSERT INTO "_sqlx_migrations" VALUES(5,'delivery','2026-11-25 10:38:48',1,X'F43E9697BC31AE24A8F611151FA7ED736CD1BA0FC1953D8B881DCBACDD94DE3BFCEDEF674A3E7C67BCDD8339E50F13A9',992441);
INSERT INTO "_sqlx_migrations" VALUES(6,'digests','2026-11-25 10:38:48',1,X'DC2EA531E4FA53574B9A6122CD79208E5A0F756FAC2EB313C61A147101DACF420D3D8254ED81160FC59B0F96500D2C67',1728662);
INSERT INTO "_sqlx_migrations" VALUES(7,'pending','2026-11-25 10:38:48',1,X'D9AF76B463108FB6BCBC87FDA43AE43C7E2D81B8485735AD461A8CB8C4ECDE23B9B1C694B4A5621E9C9657D3B9CF3CB0',755581);
INSERT INTO "_sqlx_migrations" VALUES(8,'console','2026-11-25 10:38:48',1,X'31D1CF89C65AA7034A668D33089C5CABBF3466A1692AFC73A8E8FD365F643B79395FFACB259B718D06F5759B227F1A70',613259);
CREATE TABLE counters (
  name  TEXT   NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO "counters" VALUES('events',10);
CREATE TABLE destinations (
  id                          INTEGER NOT NULL PRIMARY KEY,
  kind                        TEXT    NOT NULL,           -- log_file, log_stream, event_bus
  trail_account               TEXT    NOT NULL,
  home_region                 TEXT    NOT NULL,
  trail_name                  TEXT    NOT NULL,
  trail_created_at            BIGINT  NOT NULL,           -- a new trail of an old name is another one
  account                     TEXT    NOT NULL,
  region                      TEXT    NOT NULL,
  s3_bucket_name              TEXT    NOT NULL,
  s3_key_prefix               TEXT,
  kms_key_id                  TEXT,
  sns_topic_arn               TEXT,
  log_group_arn               TEXT,
  log_file_validation_enabled BOOLEAN NOT NULL,
  due                         BOOLEAN NOT NULL DEFAULT FALSE, -- deliver at once, whatever the period
  failures                    INTEGER NOT NULL DEFAULT 0,     -- since the last success
  retry_at                    BIGINT,
  notice_failures             INTEGER NOT NULL DEFAULT 0,     -- the same for notifications
  notice_retry_at             BIGINT, pending_events BIGINT NOT NULL DEFAULT 0,
  UNIQUE (kind, trail_account, home_region, trail_name, trail_created_at, account, region)
);
INSERT INTO "destinations" VALUES(1,'log_file','000000000000','us-east-1','demo',1795603128873,'000000000000','us-east-1','my-bucket','some/prefix','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','arn:aws:sns:us-east-1:000000000000:files','arn:aws:logs:us-east-1:000000000000:log-group:trail:*',1,0,1,1795603131121,2,1795603132392,4);
INSERT INTO "destinations" VALUES(2,'log_stream','000000000000','us-east-1','demo',1795603128873,'000000000000','us-east-1','my-bucket','some/prefix','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','arn:aws:sns:us-east-1:000000000000:files','arn:aws:logs:us-east-1:000000000000:log-group:trail:*',1,0,2,1795603131706,0,NULL,5);
INSERT INTO "destinations" VALUES(3,'event_bus','','','',0,'000000000000','us-east-1','',NULL,NULL,NULL,NULL,0,0,2,1795603131927,0,NULL,5);
INSERT INTO "destinations" VALUES(4,'log_file','000000000000','us-east-1','gone',1795603128933,'000000000000','us-east-1','old-bucket',NULL,NULL,NULL,NULL,1,0,1,1795603131004,2,1795603132459,4);
INSERT INTO "destinations" VALUES(5,'log_file','000000000000','eu-west-1','everywhere',1795603128990,'000000000000','us-east-1','all-regions',NULL,NULL,NULL,NULL,0,0,1,1795603131132,2,1795603132259,4);
INSERT INTO "destinations" VALUES(6,'log_file','000000000000','us-east-1','stopped',1795603129041,'000000000000','us-east-1','my-bucket','stopped',NULL,NULL,NULL,0,0,1,1795603130896,2,1795603132121,2);
INSERT INTO "destinations" VALUES(7,'log_file','000000000000','eu-west-1','everywhere',1795603128990,'000000000000','eu-west-1','all-regions',NULL,NULL,NULL,NULL,0,0,0,NULL,2,1795603132187,1);
INSERT INTO "destinations" VALUES(8,'event_bus','','','',0,'000000000000','eu-west-1','',NULL,NULL,NULL,NULL,0,0,2,1795603132560,0,NULL,2);
CREATE TABLE digest_chains (
  id               INTEGER NOT NULL PRIMARY KEY,
  trail_account    TEXT    NOT NULL,
  home_region      TEXT    NOT NULL,
  trail_name       TEXT    NOT NULL,
  trail_created_at BIGINT  NOT NULL,
  region           TEXT    NOT NULL,
  s3_bucket_name   TEXT    NOT NULL,
  s3_key_prefix    TEXT,
  kms_key_id       TEXT,
  state            TEXT    NOT NULL,                      -- open, closing (a last digest is to come), closed
  last_end         BIGINT  NOT NULL,                      -- seconds
  failures         INTEGER NOT NULL DEFAULT 0,            -- since the last success
  retry_at         BIGINT
);
INSERT INTO "digest_chains" VALUES(1,'000000000000','us-east-1','demo',1795603128873,'us-east-1','my-bucket','some/prefix','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','open',1795603130,2,1795603132494);
INSERT INTO "digest_chains" VALUES(2,'000000000000','us-east-1','gone',1795603128933,'us-east-1','old-bucket',NULL,NULL,'closing',1795603130,2,1795603131863);
CREATE TABLE digest_keys (
  region      TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,                            -- MD5 of the public key, hexadecimal
  private_key TEXT   NOT NULL,                            -- PKCS#8 DER, base64
  public_key  TEXT   NOT NULL,                            -- PKCS#1 DER, base64
  valid_from  BIGINT NOT NULL,                            -- seconds
  valid_to    BIGINT NOT NULL,
  PRIMARY KEY (region, fingerprint)
);
INSERT INTO "digest_keys" VALUES('us-east-1','3725a6c14233d3fda0d485665dc4eda8','MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDSIcOCtcraX5TBQMPXk/xgKUXDTEe342M1HREGPYsZHmBuY1mWlw86JGOiKUv9I2uR2rsB6gZuK9cv3kZTlgNKMc29T6ShiSlZEuy/C4kwZjRqvmCX9dFnAoWykrSBGpVIjKiRFymxjup1STubtyu9L0w4aENNAh4bdZjnGdxkGhfAjWp+vb0bpBiCznJMv7CgoJj05hRy/voNnANyvCpgOPBH+LWtYXXzE3Ij9YDxpVfdEfSxrO21LgrlWitDRVKERzTHKJIywE73+lnKiPCFPwaEjm6s7Zhcu4XvtCaqr9RcJYjlY4hqf8WtvucJNidYvoeqTOQSHkN+o9caDBTnAgMBAAECggEAV6+nOmBKKh5AoPQ5xTgH1MjkR78JHn9Q4tUiSYxdAzpd2zKyK9kVjZmpyf2ZrCSfutmfuAjEbiz1OxByIGc1MDzgMeOOO6pVCsqO6JoTwZKkxPZ0sHTv0SCIUiBOGqHRMdkgbotP5rxQsmjA6xXgtq2KDO/VRclgbuz/xVBRW6OV4+WVuW595ZE5vTOKxDMpq42dkxU+zSNtYWfqz0kvuhp4xcb8pvOleNNczRpl03k7jqEI03aIOAw/bLKnjrBow1LtAljM7L+5BUiBeO7a90HCAl4Z93y3NjxkoqDt0ky/XIOQu8lZzxAtT8CKqtdTe4U2nGa2gzbsCcEAJZ7FIQKBgQDajGwRBTKywfoW1Q6EiV+Y1OWJWCjWID9wbgdzXO1CB22cgsQshrjLiuOOO8cZH8Py78nRfBhh0AylqpxLqjehVOPaxQW9F2+VpWtAXim2eobwWRpUb4Hxws/L0XClkcaBSuv3472ii63eKbwz8xlerQG/O5x8msYgS3fc8alQWwKBgQD2JBwEc0Ao+nQ0/aRLv5NV2fdCYP2g2gwpFjBJn9MJHczpDfW4dhLGrBn4fxXaTdOfygEwAqA7VI6yioOSYI1EQ9XGeEC4EtjZ7RxY4FS0wuVhlFTL9/AjL1xd+rcgA5UGJZqlMcfYFl4DhiChrlacr4zV5ZjACf8RG8KOcjvzZQKBgQCrQVwxXixjLWOm3p94thkmLrYLkPy3BiAQHvhRqyD0G9QFz+afqZZHUXeNbkRO6LhotwQj1qVYiGpQq0e8dw8OqfG+7aLYkPPMhQptLxxqtMrmrjvWrGZcJzcj1OP7qiauDCKqZlikdeXx8CxdXQKlUNbMno66iaH1jo3Hocr2fwKBgHEzyELvsnlmPp3EbZR85kkcttArhVo+DkuzLcAeplNSBlTFG9abTyVaL5OO90DwfDzIDeXDv2eqCvroI3zltPLJc/8UfUdrO5p2p4vkmHCOFirbqmgofqPf+04pqaEqpJYwI0CIdY3XM6PRQx647JKhVldlgewIbOu0ZbVXqmTVAoGAcLHu+Gy0+BbKBgYHB0nyyl+SFO4HkkDfbGvU5Edp7t5rUPsdT6GcIwnJAiRERQrn02Iw2maTOsLc0Ha7PW+P7mxlQc1IpwMZO+4Ur8+zcBJHouWADffWKoS+xVvZiG1+M8dYYIZ9/WC2oHcwLVgxbAO7soWdqiCR9ZJsfOEf5os=','MIIBCgKCAQEA0iHDgrXK2l+UwUDD15P8YClFw0xHt+NjNR0RBj2LGR5gbmNZlpcPOiRjoilL/SNrkdq7AeoGbivXL95GU5YDSjHNvU+koYkpWRLsvwuJMGY0ar5gl/XRZwKFspK0gRqVSIyokRcpsY7qdUk7m7crvS9MOGhDTQIeG3WY5xncZBoXwI1qfr29G6QYgs5yTL+woKCY9OYUcv76DZwDcrwqYDjwR/i1rWF18xNyI/WA8aVX3RH0sazttS4K5VorQ0VShEc0xyiSMsBO9/pZyojwhT8GhI5urO2YXLuF77Qmqq/UXCWI5WOIan/Frb7nCTYnWL6HqkzkEh5DfqPXGgwU5wIDAQAB',1384300800,1798195129);
CREATE TABLE digests (
  id             INTEGER NOT NULL PRIMARY KEY,
  chain          BIGINT  NOT NULL,
  s3_bucket_name TEXT    NOT NULL,
  s3_object_key  TEXT    NOT NULL,
  kms_key_id     TEXT,
  start_time     BIGINT  NOT NULL,                        -- seconds
  end_time       BIGINT  NOT NULL,
  log_files      BIGINT  NOT NULL,
  fingerprint    TEXT    NOT NULL,
  sha256         TEXT    NOT NULL,                        -- of the unpacked content, hexadecimal
  signature      TEXT    NOT NULL,                        -- hexadecimal
  content        TEXT,                                    -- JSON, until it is put
  created_at     BIGINT  NOT NULL,
  state          TEXT    NOT NULL,                        -- waiting, stored, abandoned (after 30 days)
  stored_at      BIGINT
);
INSERT INTO "digests" VALUES(1,1,'my-bucket','some/prefix/AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_demo_us-east-1_20261125T103849Z.json.gz','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555',1795599529,1795603129,1,'3725a6c14233d3fda0d485665dc4eda8','eb3f49397d1a0b089a743597beb1df2b1d98438311404b7c065dfeabc93a7d31','2d583899126e55cd2d371cae7e7610af4be31b2e9558275df15b227ed8b303d9791b6a9110be7fc40d33263b8bde5a3aff7e9ab29f42d7905a91103152ef9f70a6766344b485002ac8fcbfe9552547591c45430e52463ee1ed77169129bd55ec0c15927970fe3c64b54789ebcebf0bb7f0f87f39d7070c807d434b0fa3da8b798d142a84fa56a0bc5ccdd5d72be7e67f125b4ac9f6fd052d4692d4dacdffe8270acbf82d4e3098630ab1f06c211d10667075c6df843f53a1bb9fec012acc55a32549a241b6fd10fbd473190b7d0cbbf636451383ecda33fc56565996d9ce78ba814b1b8c9ebe18eeedb6dcbecabd9aa3e6211fa0665b51e9221afc51c21ee1ce',NULL,1795603129877,'stored',1795603129904);
INSERT INTO "digests" VALUES(2,2,'old-bucket','AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_gone_us-east-1_20261125T103849Z.json.gz',NULL,1795599529,1795603129,1,'3725a6c14233d3fda0d485665dc4eda8','a65d51a0b05d998b5b03e93ebc7061a0f99978c242ddaef685c74239e6aedb48','665e4b60b47026f7534cbf705875aa95d31eed6cba8683fcbedaf7e262fbc0db5b0e623421ffef036f2688ccbe3c05430cb2601fbb6885b8298ae2a002e33bc49e8337e29b5015cb2752f2af2f530968b533a0025013b610516433a1ff6c1b1681c86ba1a63eca362318ab8c4907cf5b208572c0dacdb236e8afe81146aaeff017c59fa8912a6e2ac6f9fd5138da20e261c7800058b9484e98a72aec96a6a26fbc198703e50727dced9eb3db6350dc31fab0963dff0f44cb1cefb45d498894340a60b492e123e4da1db25003983444c9c2ec605f80c82a8a4fe20b03bd3273cad511da12b6e9f0b973a5c944f536d8b0d32a988a4b1748b4210ed6544da6c641',NULL,1795603129890,'stored',1795603129906);
INSERT INTO "digests" VALUES(3,1,'my-bucket','some/prefix/AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_demo_us-east-1_20261125T103850Z.json.gz','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555',1795603129,1795603130,1,'3725a6c14233d3fda0d485665dc4eda8','2d79692fb5e97c1440c5d729d62d2d10eebf89aa90650d3511c7f559dbafcef8','77cd06ac197d8212edbede2a39904af45715e7a02516572b57c98c3530d53095947d50237477a0a0969d98c3db14fb27527c570bea16d0f43509b990c16f553143e9fd8392191397dec4f727a55d012f76c0ca75a4a1868a3cd3e62e81f3275bf70d5d19b04e50b749564928a0a6e7bf52d1590af0effba7ff5d66b45e9b4ebc11bddb1094d616f164fd0a4f105f22ce1713aed7afaf50d86d40aec8d39ae9b1896529fe2655a559527e4d8b2cfb121d19df35413ac575cfe77b494b96ef70d7dd3eef6733c028e29f483f1cf7ed5e58a6c1c0d35f84b78ae2ee1c992ab9c2d534a07464502d9fc4a1decd026ad0b2860f9ede0bf43d6f888dca848973125147','{"awsAccountId":"000000000000","digestStartTime":"2026-11-25T10:38:49Z","digestEndTime":"2026-11-25T10:38:50Z","digestS3Bucket":"my-bucket","digestS3Object":"some/prefix/AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_demo_us-east-1_20261125T103850Z.json.gz","digestPublicKeyFingerprint":"3725a6c14233d3fda0d485665dc4eda8","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"2026-11-24T00:00:00Z","oldestEventTime":"2026-11-24T00:00:00Z","previousDigestS3Bucket":"my-bucket","previousDigestS3Object":"some/prefix/AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_demo_us-east-1_20261125T103849Z.json.gz","previousDigestHashValue":"eb3f49397d1a0b089a743597beb1df2b1d98438311404b7c065dfeabc93a7d31","previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"2d583899126e55cd2d371cae7e7610af4be31b2e9558275df15b227ed8b303d9791b6a9110be7fc40d33263b8bde5a3aff7e9ab29f42d7905a91103152ef9f70a6766344b485002ac8fcbfe9552547591c45430e52463ee1ed77169129bd55ec0c15927970fe3c64b54789ebcebf0bb7f0f87f39d7070c807d434b0fa3da8b798d142a84fa56a0bc5ccdd5d72be7e67f125b4ac9f6fd052d4692d4dacdffe8270acbf82d4e3098630ab1f06c211d10667075c6df843f53a1bb9fec012acc55a32549a241b6fd10fbd473190b7d0cbbf636451383ecda33fc56565996d9ce78ba814b1b8c9ebe18eeedb6dcbecabd9aa3e6211fa0665b51e9221afc51c21ee1ce","logFiles":[{"s3Bucket":"my-bucket","s3Object":"some/prefix/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_nZjVpjPFxE4pV9FH.json.gz","hashValue":"371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582","hashAlgorithm":"SHA-256","newestEventTime":"2026-11-24T00:00:00Z","oldestEventTime":"2026-11-24T00:00:00Z"}]}',1795603130001,'waiting',NULL);
INSERT INTO "digests" VALUES(4,2,'old-bucket','AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_gone_us-east-1_20261125T103850Z.json.gz',NULL,1795603129,1795603130,1,'3725a6c14233d3fda0d485665dc4eda8','e3432a5965ccc04f0017238ee6864095b64061770b398eb625b30822b135f3ca','c1fccd676b90d3172426bc2f605fdd278c8a9d34b568cb100ad512376f3e45eb6989cfb89fcef2099c9074a83a29032ccda12fa5bb0057e141af4b95ec4b60d7160a3e19a6016d54d9e67505171ceb1d281b00f9c103e9f55fc22bd48dbf8abd9927a65440031b52bd8452718e0db1db8665f19fe2de67405ed7d7a3ee25d21c8ee85c437b97fa8f7a10d210cc4d7ceed635cb37c9e4ae9f8434950f145ef995008e556e7f9c72eb32e4527e50453685fc44729214a1a566b712d758381219b3b95b3a3d7dbb21cc77ead567d8d137dd2de2b75597d3ae153e819605f067ff5e02c0e75f24848a3cd1f0ce065cdd92cf7a6aa8142844e9c5a23b140fc797989b','{"awsAccountId":"000000000000","digestStartTime":"2026-11-25T10:38:49Z","digestEndTime":"2026-11-25T10:38:50Z","digestS3Bucket":"old-bucket","digestS3Object":"AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_gone_us-east-1_20261125T103850Z.json.gz","digestPublicKeyFingerprint":"3725a6c14233d3fda0d485665dc4eda8","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"2026-11-24T00:00:00Z","oldestEventTime":"2026-11-24T00:00:00Z","previousDigestS3Bucket":"old-bucket","previousDigestS3Object":"AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/25/000000000000_CloudTrail-Digest_us-east-1_gone_us-east-1_20261125T103849Z.json.gz","previousDigestHashValue":"a65d51a0b05d998b5b03e93ebc7061a0f99978c242ddaef685c74239e6aedb48","previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"665e4b60b47026f7534cbf705875aa95d31eed6cba8683fcbedaf7e262fbc0db5b0e623421ffef036f2688ccbe3c05430cb2601fbb6885b8298ae2a002e33bc49e8337e29b5015cb2752f2af2f530968b533a0025013b610516433a1ff6c1b1681c86ba1a63eca362318ab8c4907cf5b208572c0dacdb236e8afe81146aaeff017c59fa8912a6e2ac6f9fd5138da20e261c7800058b9484e98a72aec96a6a26fbc198703e50727dced9eb3db6350dc31fab0963dff0f44cb1cefb45d498894340a60b492e123e4da1db25003983444c9c2ec605f80c82a8a4fe20b03bd3273cad511da12b6e9f0b973a5c944f536d8b0d32a988a4b1748b4210ed6544da6c641","logFiles":[{"s3Bucket":"old-bucket","s3Object":"AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_VlqS126WRFhVBD3f.json.gz","hashValue":"371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582","hashAlgorithm":"SHA-256","newestEventTime":"2026-11-24T00:00:00Z","oldestEventTime":"2026-11-24T00:00:00Z"}]}',1795603130018,'waiting',NULL);
CREATE TABLE event_counts (
  hour     BIGINT NOT NULL,
  account  TEXT   NOT NULL,
  region   TEXT   NOT NULL,
  reads    BIGINT NOT NULL,
  writes   BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (hour, account, region)
) WITHOUT ROWID;
INSERT INTO "event_counts" VALUES(1795478400,'000000000000','eu-west-1',0,2,0);
INSERT INTO "event_counts" VALUES(1795478400,'000000000000','us-east-1',0,4,0);
INSERT INTO "event_counts" VALUES(1795600800,'000000000000','us-east-1',0,4,0);
CREATE TABLE event_resources (
  key           BIGINT  NOT NULL,
  position      INTEGER NOT NULL,
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  listing       TEXT    NOT NULL,
  resource_type TEXT,                               -- AWS::CloudTrail::Trail
  short_type    TEXT,                               -- Trail
  resource_name TEXT    NOT NULL,
  PRIMARY KEY (key, position)
) WITHOUT ROWID;
INSERT INTO "event_resources" VALUES(1928014178912567296,0,'000000000000','us-east-1','write','AWS::CloudTrail::Trail','Trail','gone');
INSERT INTO "event_resources" VALUES(1928014178912567297,0,'000000000000','us-east-1','write','AWS::CloudTrail::Trail','Trail','stopped');
INSERT INTO "event_resources" VALUES(1928014179986309126,0,'000000000000','us-east-1','write','AWS::CloudTrail::Trail','Trail','stopped');
INSERT INTO "event_resources" VALUES(1928014179986309128,0,'000000000000','us-east-1','write','AWS::CloudTrail::Trail','Trail','gone');
CREATE TABLE event_summaries (
  key           INTEGER NOT NULL PRIMARY KEY,             -- events.key
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  event_source  TEXT    NOT NULL,
  event_name    TEXT    NOT NULL,
  actor         TEXT,                                     -- the name of who called, also where lookups show none
  actor_type    TEXT,                                     -- userIdentity.type: IAMUser, AssumedRole, ...
  access_key_id TEXT,
  read_only     BOOLEAN NOT NULL,
  error_code    TEXT,
  source_ip     TEXT
);
INSERT INTO "event_summaries" VALUES(1927880252168601602,'000000000000','us-east-1','ec2.amazonaws.com','Delivered','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1927880252168601603,'000000000000','us-east-1','ec2.amazonaws.com','Stored','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1927880252168601604,'000000000000','eu-west-1','ec2.amazonaws.com','Stored','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1927880252168601605,'000000000000','us-east-1','ec2.amazonaws.com','Cut','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1927880252168601607,'000000000000','us-east-1','ec2.amazonaws.com','Captured','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1927880252168601609,'000000000000','eu-west-1','ec2.amazonaws.com','Captured','ana','IAMUser',NULL,0,NULL,NULL);
INSERT INTO "event_summaries" VALUES(1928014178912567296,'000000000000','us-east-1','cloudtrail.amazonaws.com','StartLogging','root','Root','AKIAIOSFODNN7EXAMPLE',0,NULL,'127.0.0.1');
INSERT INTO "event_summaries" VALUES(1928014178912567297,'000000000000','us-east-1','cloudtrail.amazonaws.com','StartLogging','root','Root','AKIAIOSFODNN7EXAMPLE',0,NULL,'127.0.0.1');
INSERT INTO "event_summaries" VALUES(1928014179986309126,'000000000000','us-east-1','cloudtrail.amazonaws.com','StopLogging','root','Root','AKIAIOSFODNN7EXAMPLE',0,NULL,'127.0.0.1');
INSERT INTO "event_summaries" VALUES(1928014179986309128,'000000000000','us-east-1','cloudtrail.amazonaws.com','DeleteTrail','root','Root','AKIAIOSFODNN7EXAMPLE',0,NULL,'127.0.0.1');
CREATE TABLE events (
  key           INTEGER NOT NULL PRIMARY KEY,
  event_time    BIGINT  NOT NULL,                   -- seconds since 1970
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  event_id      TEXT    NOT NULL,
  event_name    TEXT    NOT NULL,
  event_source  TEXT    NOT NULL,
  listing       TEXT    NOT NULL,
  read_only     BOOLEAN NOT NULL,
  username      TEXT,
  access_key_id TEXT,
  error_code    TEXT,
  stored_at     BIGINT  NOT NULL,                   -- milliseconds since 1970
  resources     TEXT    NOT NULL,                   -- what it can be looked up by, JSON; the same as event_resources
  record        TEXT    NOT NULL                    -- the whole record, JSON
);
INSERT INTO "events" VALUES(1927880252168601602,1795478400,'000000000000','us-east-1','Delivered-us-east-1','Delivered','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603129065,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Delivered","awsRegion":"us-east-1","eventID":"Delivered-us-east-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1927880252168601603,1795478400,'000000000000','us-east-1','Stored-us-east-1','Stored','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603129912,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Stored","awsRegion":"us-east-1","eventID":"Stored-us-east-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1927880252168601604,1795478400,'000000000000','eu-west-1','Stored-eu-west-1','Stored','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603129914,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Stored","awsRegion":"eu-west-1","eventID":"Stored-eu-west-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1927880252168601605,1795478400,'000000000000','us-east-1','Cut-us-east-1','Cut','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603130036,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Cut","awsRegion":"us-east-1","eventID":"Cut-us-east-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1927880252168601607,1795478400,'000000000000','us-east-1','Captured-us-east-1','Captured','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603130118,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Captured","awsRegion":"us-east-1","eventID":"Captured-us-east-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1927880252168601609,1795478400,'000000000000','eu-west-1','Captured-eu-west-1','Captured','ec2.amazonaws.com','write',0,'ana',NULL,NULL,1795603130127,'[]','{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"000000000000","userName":"ana"},"eventTime":"2026-11-24T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"Captured","awsRegion":"eu-west-1","eventID":"Captured-eu-west-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1928014178912567296,1795603129,'000000000000','us-east-1','45271fc3-b5fa-4994-bd87-d76db57c1931','StartLogging','cloudtrail.amazonaws.com','write',0,'root','AKIAIOSFODNN7EXAMPLE',NULL,1795603129055,'[{"ResourceType":"AWS::CloudTrail::Trail","ResourceName":"gone"}]','{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"000000000000","arn":"arn:aws:iam::000000000000:root","accountId":"000000000000","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-11-25T10:38:49Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StartLogging","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","userAgent":"Python-urllib/3.11","requestParameters":{"name":"gone"},"responseElements":null,"requestID":"74c1b635-1173-4485-ba23-86591a359552","eventID":"45271fc3-b5fa-4994-bd87-d76db57c1931","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1928014178912567297,1795603129,'000000000000','us-east-1','f50965a1-3191-4571-b8e8-6ce784cf5f61','StartLogging','cloudtrail.amazonaws.com','write',0,'root','AKIAIOSFODNN7EXAMPLE',NULL,1795603129059,'[{"ResourceType":"AWS::CloudTrail::Trail","ResourceName":"stopped"}]','{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"000000000000","arn":"arn:aws:iam::000000000000:root","accountId":"000000000000","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-11-25T10:38:49Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StartLogging","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","userAgent":"Python-urllib/3.11","requestParameters":{"name":"stopped"},"responseElements":null,"requestID":"63de4720-c6e4-4dd8-8b64-6a11ea93c2d7","eventID":"f50965a1-3191-4571-b8e8-6ce784cf5f61","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1928014179986309126,1795603130,'000000000000','us-east-1','3ea8e42b-a797-4763-ba40-c9b2693fbc9d','StopLogging','cloudtrail.amazonaws.com','write',0,'root','AKIAIOSFODNN7EXAMPLE',NULL,1795603130045,'[{"ResourceType":"AWS::CloudTrail::Trail","ResourceName":"stopped"}]','{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"000000000000","arn":"arn:aws:iam::000000000000:root","accountId":"000000000000","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-11-25T10:38:50Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","userAgent":"Python-urllib/3.11","requestParameters":{"name":"stopped"},"responseElements":null,"requestID":"3a10e197-cc8e-45f4-bc15-7f02ec3ffbb5","eventID":"3ea8e42b-a797-4763-ba40-c9b2693fbc9d","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
INSERT INTO "events" VALUES(1928014179986309128,1795603130,'000000000000','us-east-1','a9709be2-3150-4e9d-aa42-7c54b5cc4809','DeleteTrail','cloudtrail.amazonaws.com','write',0,'root','AKIAIOSFODNN7EXAMPLE',NULL,1795603130124,'[{"ResourceType":"AWS::CloudTrail::Trail","ResourceName":"gone"}]','{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"000000000000","arn":"arn:aws:iam::000000000000:root","accountId":"000000000000","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-11-25T10:38:50Z","eventSource":"cloudtrail.amazonaws.com","eventName":"DeleteTrail","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1","userAgent":"Python-urllib/3.11","requestParameters":{"name":"gone"},"responseElements":null,"requestID":"6e21046b-faf1-4793-8edc-6ccc359fac66","eventID":"a9709be2-3150-4e9d-aa42-7c54b5cc4809","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"000000000000","eventCategory":"Management"}');
CREATE TABLE log_files (
  id                INTEGER NOT NULL PRIMARY KEY,
  destination       BIGINT  NOT NULL,
  trail_account     TEXT    NOT NULL,
  home_region       TEXT    NOT NULL,
  trail_name        TEXT    NOT NULL,
  trail_created_at  BIGINT  NOT NULL,
  account           TEXT    NOT NULL,
  region            TEXT    NOT NULL,
  s3_bucket_name    TEXT    NOT NULL,
  s3_object_key     TEXT    NOT NULL,
  kms_key_id        TEXT,
  sns_topic_arn     TEXT,
  first_number      BIGINT  NOT NULL,                     -- of pending_events
  last_number       BIGINT  NOT NULL,
  created_at        BIGINT  NOT NULL,
  state             TEXT    NOT NULL,                     -- waiting, stored, abandoned (after 30 days)
  stored_at         BIGINT,
  events            BIGINT,
  bytes             BIGINT,                               -- of the object
  sha256            TEXT,                                 -- of the unpacked content, hexadecimal
  oldest_event_time BIGINT,                               -- seconds since 1970
  newest_event_time BIGINT,
  validated         BOOLEAN NOT NULL,                     -- a digest has to name it ...
  digest            BIGINT,                               -- ... and this one does
  notify            BOOLEAN NOT NULL,                     -- still to be announced at the topic
  webhook           BOOLEAN NOT NULL                      -- still to be announced at the webhook
);
INSERT INTO "log_files" VALUES(1,1,'000000000000','us-east-1','demo',1795603128873,'000000000000','us-east-1','my-bucket','some/prefix/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_YwMoedNlq3zyYGaI.json.gz','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','arn:aws:sns:us-east-1:000000000000:files',0,2,1795603129067,'stored',1795603129083,3,565,'bfe1828e4ed6fb6e2d609a7c9f611cc1d767e710c4aa3a99fe31fe65fd5c68d3',1795478400,1795603129,1,1,0,0);
INSERT INTO "log_files" VALUES(2,4,'000000000000','us-east-1','gone',1795603128933,'000000000000','us-east-1','old-bucket','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_A5hi4otam3lb24td.json.gz',NULL,NULL,1,2,1795603129067,'stored',1795603129079,2,498,'5448dd55e07591bdfe35e050aeca3d47243fd9a56351e185056ec5bc61f29a75',1795478400,1795603129,1,2,0,0);
INSERT INTO "log_files" VALUES(3,5,'000000000000','eu-west-1','everywhere',1795603128990,'000000000000','us-east-1','all-regions','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_m1cbN9vUNGLd1TCA.json.gz',NULL,NULL,2,2,1795603129067,'stored',1795603129083,1,255,'edfa788383c5fe9766f2e24bb22ef478de2c0aacd669ba63996998c874438d1e',1795478400,1795478400,0,NULL,0,0);
INSERT INTO "log_files" VALUES(4,6,'000000000000','us-east-1','stopped',1795603129041,'000000000000','us-east-1','my-bucket','stopped/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_ooIMsESlnAqOKdMz.json.gz',NULL,NULL,2,2,1795603129067,'stored',1795603129084,1,255,'edfa788383c5fe9766f2e24bb22ef478de2c0aacd669ba63996998c874438d1e',1795478400,1795478400,0,NULL,0,0);
INSERT INTO "log_files" VALUES(5,1,'000000000000','us-east-1','demo',1795603128873,'000000000000','us-east-1','my-bucket','some/prefix/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_nZjVpjPFxE4pV9FH.json.gz','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','arn:aws:sns:us-east-1:000000000000:files',3,3,1795603129916,'stored',1795603129927,1,253,'371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582',1795478400,1795478400,1,3,1,1);
INSERT INTO "log_files" VALUES(6,4,'000000000000','us-east-1','gone',1795603128933,'000000000000','us-east-1','old-bucket','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_VlqS126WRFhVBD3f.json.gz',NULL,NULL,3,3,1795603129916,'stored',1795603129925,1,253,'371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582',1795478400,1795478400,1,4,0,1);
INSERT INTO "log_files" VALUES(7,5,'000000000000','eu-west-1','everywhere',1795603128990,'000000000000','us-east-1','all-regions','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_Qg6baKwsD30k3p3F.json.gz',NULL,NULL,3,3,1795603129916,'stored',1795603129927,1,253,'371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582',1795478400,1795478400,0,NULL,0,1);
INSERT INTO "log_files" VALUES(8,6,'000000000000','us-east-1','stopped',1795603129041,'000000000000','us-east-1','my-bucket','stopped/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_MGha4ULxWGwp6VBo.json.gz',NULL,NULL,3,3,1795603129916,'stored',1795603129926,1,253,'371d340fcdf93ca14d82f4ce5ee7002fa0c7232d0d9237afdeb2a8e6e2db9582',1795478400,1795478400,0,NULL,0,1);
INSERT INTO "log_files" VALUES(9,7,'000000000000','eu-west-1','everywhere',1795603128990,'000000000000','eu-west-1','all-regions','AWSLogs/000000000000/CloudTrail/eu-west-1/2026/11/25/000000000000_CloudTrail_eu-west-1_20261125T1040Z_IUxEvWwBw839MV85.json.gz',NULL,NULL,4,4,1795603129916,'stored',1795603129933,1,253,'22ca06fa20c667ce46a911a090a92fa81e9c8fcfcf865c973715d45cdd80da74',1795478400,1795478400,0,NULL,0,1);
INSERT INTO "log_files" VALUES(10,1,'000000000000','us-east-1','demo',1795603128873,'000000000000','us-east-1','my-bucket','some/prefix/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_EbUAif2lx9GVnc8Z.json.gz','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555','arn:aws:sns:us-east-1:000000000000:files',5,6,1795603130052,'waiting',NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,1,1);
INSERT INTO "log_files" VALUES(11,4,'000000000000','us-east-1','gone',1795603128933,'000000000000','us-east-1','old-bucket','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_hjvWmR7GxC31XROI.json.gz',NULL,NULL,5,6,1795603130052,'waiting',NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,0,1);
INSERT INTO "log_files" VALUES(12,5,'000000000000','eu-west-1','everywhere',1795603128990,'000000000000','us-east-1','all-regions','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_Xzxr8fiQ559dW0pe.json.gz',NULL,NULL,5,6,1795603130052,'waiting',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,1);
INSERT INTO "log_files" VALUES(13,6,'000000000000','us-east-1','stopped',1795603129041,'000000000000','us-east-1','my-bucket','stopped/AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_jnsGZpCqOB6VHPOA.json.gz',NULL,NULL,5,6,1795603130052,'waiting',NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,1);
INSERT INTO "log_files" VALUES(14,4,'000000000000','us-east-1','gone',1795603128933,'000000000000','us-east-1','old-bucket','AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/25/000000000000_CloudTrail_us-east-1_20261125T1040Z_niL3K6jGi5wzRmeI.json.gz',NULL,NULL,7,8,1795603130679,'waiting',NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,0,1);
CREATE TABLE pending_events (
  destination BIGINT NOT NULL,
  number      BIGINT NOT NULL,                            -- of arrival
  event_key   BIGINT NOT NULL,                            -- events.key
  PRIMARY KEY (destination, number)
) WITHOUT ROWID;
INSERT INTO "pending_events" VALUES(1,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(1,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(1,7,1927880252168601607);
INSERT INTO "pending_events" VALUES(1,8,1928014179986309128);
INSERT INTO "pending_events" VALUES(2,3,1927880252168601603);
INSERT INTO "pending_events" VALUES(2,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(2,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(2,7,1927880252168601607);
INSERT INTO "pending_events" VALUES(2,8,1928014179986309128);
INSERT INTO "pending_events" VALUES(3,3,1927880252168601603);
INSERT INTO "pending_events" VALUES(3,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(3,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(3,7,1927880252168601607);
INSERT INTO "pending_events" VALUES(3,8,1928014179986309128);
INSERT INTO "pending_events" VALUES(4,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(4,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(4,7,1927880252168601607);
INSERT INTO "pending_events" VALUES(4,8,1928014179986309128);
INSERT INTO "pending_events" VALUES(5,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(5,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(5,7,1927880252168601607);
INSERT INTO "pending_events" VALUES(5,8,1928014179986309128);
INSERT INTO "pending_events" VALUES(6,5,1927880252168601605);
INSERT INTO "pending_events" VALUES(6,6,1928014179986309126);
INSERT INTO "pending_events" VALUES(7,9,1927880252168601609);
INSERT INTO "pending_events" VALUES(8,4,1927880252168601604);
INSERT INTO "pending_events" VALUES(8,9,1927880252168601609);
CREATE TABLE settings (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
INSERT INTO "settings" VALUES('page_token_key','b5f6a3cf70c54c7b994841e27c8ffe438342320d079245d5b56c10c50d0855eb');
CREATE TABLE trail_status (
  account                               TEXT    NOT NULL,
  home_region                           TEXT    NOT NULL,
  name                                  TEXT    NOT NULL,
  region                                TEXT    NOT NULL,
  is_logging                            BOOLEAN NOT NULL DEFAULT FALSE,
  start_logging_time                    BIGINT,
  stop_logging_time                     BIGINT,
  latest_delivery_time                  BIGINT,
  latest_delivery_error                 TEXT,
  latest_notification_time              BIGINT,
  latest_notification_error             TEXT,
  latest_cloud_watch_logs_delivery_time  BIGINT,
  latest_cloud_watch_logs_delivery_error TEXT,
  latest_digest_delivery_time           BIGINT,
  latest_digest_delivery_error          TEXT,
  PRIMARY KEY (account, home_region, name, region),
  FOREIGN KEY (account, home_region, name) REFERENCES trails (account, home_region, name) ON DELETE CASCADE
);
INSERT INTO "trail_status" VALUES('000000000000','us-east-1','demo','us-east-1',1,1795603129048,NULL,1795603129927,'UnknownError',1795603129139,'UnknownError',1795603129147,'UnknownError',1795603129904,'UnknownError');
INSERT INTO "trail_status" VALUES('000000000000','eu-west-1','everywhere','eu-west-1',1,1795603129062,NULL,1795603129933,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trail_status" VALUES('000000000000','us-east-1','stopped','us-east-1',0,1795603129059,1795603130044,1795603129926,'UnknownError',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trail_status" VALUES('000000000000','eu-west-1','everywhere','us-east-1',0,NULL,NULL,1795603129927,'UnknownError',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE trail_tags (
  account     TEXT    NOT NULL,
  home_region TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  tag_key     TEXT    NOT NULL,
  tag_value   TEXT,
  position    INTEGER NOT NULL,                     -- tags are listed in the order in which they came
  PRIMARY KEY (account, home_region, name, tag_key),
  FOREIGN KEY (account, home_region, name) REFERENCES trails (account, home_region, name) ON DELETE CASCADE
);
INSERT INTO "trail_tags" VALUES('000000000000','us-east-1','demo','team','blue',0);
INSERT INTO "trail_tags" VALUES('000000000000','us-east-1','demo','empty',NULL,1);
CREATE TABLE trails (
  account                        TEXT    NOT NULL,
  home_region                    TEXT    NOT NULL,
  name                           TEXT    NOT NULL,
  s3_bucket_name                 TEXT    NOT NULL,
  s3_key_prefix                  TEXT,
  sns_topic_name                 TEXT,              -- as it was given: a name or an ARN
  sns_topic_arn                  TEXT,
  include_global_service_events  BOOLEAN NOT NULL,
  is_multi_region_trail          BOOLEAN NOT NULL,
  log_file_validation_enabled    BOOLEAN NOT NULL,
  cloud_watch_logs_log_group_arn TEXT,
  cloud_watch_logs_role_arn      TEXT,
  kms_key_id                     TEXT,
  is_organization_trail          BOOLEAN NOT NULL,
  recursive_logging              BOOLEAN NOT NULL,
  created_at                     BIGINT  NOT NULL,
  updated_at                     BIGINT  NOT NULL,
  PRIMARY KEY (account, home_region, name)
);
INSERT INTO "trails" VALUES('000000000000','us-east-1','demo','my-bucket','some/prefix','files','arn:aws:sns:us-east-1:000000000000:files',1,0,1,'arn:aws:logs:us-east-1:000000000000:log-group:trail:*','arn:aws:iam::000000000000:role/logs','arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555',0,1,1795603128873,1795603128873);
INSERT INTO "trails" VALUES('000000000000','eu-west-1','everywhere','all-regions',NULL,NULL,NULL,1,1,0,NULL,NULL,NULL,0,1,1795603128990,1795603128990);
INSERT INTO "trails" VALUES('000000000000','us-east-1','stopped','my-bucket','stopped',NULL,NULL,1,0,0,NULL,NULL,NULL,0,1,1795603129041,1795603129041);
CREATE UNIQUE INDEX events_by_id ON events (event_id, account, region);
CREATE INDEX events_by_time       ON events (account, region, listing, key);
CREATE INDEX events_by_name       ON events (account, region, listing, event_name, key);
CREATE INDEX events_by_source     ON events (account, region, listing, event_source, key);
CREATE INDEX events_by_username   ON events (account, region, listing, username, key);
CREATE INDEX events_by_access_key ON events (account, region, listing, access_key_id, key);
CREATE INDEX events_by_age        ON events (stored_at, key);
CREATE INDEX event_resources_by_name ON event_resources (account, region, listing, resource_name, key);
CREATE INDEX event_resources_by_type ON event_resources (account, region, listing, short_type, key, resource_type);
CREATE VIEW trail_overview AS
SELECT t.name,
       t.account,
       t.home_region,
       CASE WHEN t.is_multi_region_trail THEN 'all regions' ELSE 'home region' END AS covers,
       CASE WHEN s.is_logging THEN 'yes' ELSE 'no' END AS logging,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.start_logging_time / 1000, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.stop_logging_time / 1000, 'unixepoch') AS stopped,
       t.s3_bucket_name AS bucket,
       t.s3_key_prefix AS prefix,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.latest_delivery_time / 1000, 'unixepoch') AS latest_delivery,
       s.latest_delivery_error AS delivery_error,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.created_at / 1000, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.updated_at / 1000, 'unixepoch') AS updated
FROM trails t
JOIN trail_status s
  ON s.account = t.account AND s.home_region = t.home_region AND s.name = t.name AND s.region = t.home_region
ORDER BY t.account, t.home_region, t.name;
CREATE VIEW event_history AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', e.event_time, 'unixepoch') AS time,
       e.account,
       e.region,
       e.event_name,
       e.event_source,
       e.username,
       e.access_key_id,
       e.error_code,
       CASE WHEN e.read_only THEN 'yes' ELSE 'no' END AS read_only,
       e.listing,
       (SELECT group_concat(r.resource_name, ', ') FROM event_resources r WHERE r.key = e.key) AS resources,
       e.event_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.stored_at / 1000, 'unixepoch') AS stored,
       e.record
FROM events e
ORDER BY e.key DESC;
CREATE UNIQUE INDEX log_files_by_key ON log_files (s3_bucket_name, s3_object_key);
CREATE INDEX log_files_by_state  ON log_files (state, destination, id);
CREATE INDEX log_files_by_digest ON log_files (validated, digest, trail_account, home_region, trail_name, region);
CREATE INDEX log_files_by_notify ON log_files (notify, state, destination, id);
CREATE INDEX log_files_by_webhook ON log_files (webhook, state, destination, id);
CREATE VIEW delivered_log_files AS
SELECT trail_name AS trail,
       account,
       region,
       s3_bucket_name AS bucket,
       s3_object_key AS key,
       state,
       events,
       bytes,
       strftime('%Y-%m-%dT%H:%M:%SZ', stored_at / 1000, 'unixepoch') AS stored,
       strftime('%Y-%m-%dT%H:%M:%SZ', oldest_event_time, 'unixepoch') AS oldest_event,
       strftime('%Y-%m-%dT%H:%M:%SZ', newest_event_time, 'unixepoch') AS newest_event,
       CASE WHEN digest IS NOT NULL THEN 'yes' WHEN validated THEN 'not yet' ELSE 'no' END AS in_digest
FROM log_files
ORDER BY id DESC;
CREATE INDEX digest_chains_by_state ON digest_chains (state, id);
CREATE UNIQUE INDEX digests_by_key ON digests (s3_bucket_name, s3_object_key);
CREATE INDEX digests_by_chain ON digests (chain, id);
CREATE INDEX digests_by_state ON digests (state, chain, id);
CREATE VIEW digest_overview AS
SELECT c.trail_name AS trail,
       c.trail_account AS account,
       c.region,
       strftime('%Y-%m-%dT%H:%M:%SZ', d.start_time, 'unixepoch') AS "from",
       strftime('%Y-%m-%dT%H:%M:%SZ', d.end_time, 'unixepoch') AS "to",
       d.log_files,
       d.state,
       c.state AS chain,
       d.s3_bucket_name AS bucket,
       d.s3_object_key AS key
FROM digests d
JOIN digest_chains c ON c.id = d.chain
ORDER BY d.id DESC;
CREATE VIEW events_by_hour AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', hour, 'unixepoch') AS hour, account, region, reads, writes, failures
FROM event_counts
ORDER BY event_counts.hour DESC, account, region;
COMMIT;
