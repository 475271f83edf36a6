//! Reads digests as `aws cloudtrail validate-logs` does, without any code of the server's.

use md5::Md5;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Objects of a bucket by key: unpacked content and user metadata.
pub(crate) type Objects = BTreeMap<String, (Vec<u8>, BTreeMap<String, String>)>;

/// Checks all digests among the objects of a bucket with the answer of ListPublicKeys: each is signed, each but the
/// first of a chain names the one before it, and each log file stands in exactly one of them, with its hash. How many
/// digests there are.
pub(crate) fn check(objects: &Objects, keys: &Value) -> usize {
    let mut named = BTreeSet::new();
    let mut digests = BTreeMap::new();
    let mut followed = BTreeSet::new();
    for (key, (content, metadata)) in objects.iter().filter(|(key, _)| key.contains("/CloudTrail-Digest/")) {
        let digest: Value = serde_json::from_slice(content).unwrap_or_else(|e| panic!("{key}: {e}"));
        assert_eq!(digest["digestS3Object"], *key.as_str());
        verify(&digest, content, metadata, keys);
        for file in digest["logFiles"].as_array().unwrap() {
            let name = file["s3Object"].as_str().unwrap();
            assert!(named.insert(name.to_owned()), "{name} stands in two digests");
            let (content, _) =
                objects.get(name).unwrap_or_else(|| panic!("{key} names {name}, which is not there"));
            assert_eq!(file["hashValue"], hex(&Sha256::digest(content)), "{name}");
        }
        digests.insert(key.as_str(), digest);
    }
    for (key, digest) in &digests {
        let Some(previous) = digest["previousDigestS3Object"].as_str() else { continue };
        assert!(followed.insert(previous.to_owned()), "two digests follow {previous}");
        let (content, metadata) = &objects[previous];
        assert_eq!(digest["previousDigestHashValue"], hex(&Sha256::digest(content)), "{key}");
        assert_eq!(digest["previousDigestSignature"], metadata["signature"].as_str(), "{key}");
        assert_eq!(digest["digestStartTime"], digests[previous]["digestEndTime"], "{key} leaves a hole");
    }
    let files = objects.keys().filter(|key| key.contains("/CloudTrail/"));
    let unnamed: Vec<_> = files.filter(|key| !named.contains(*key)).collect();
    assert!(unnamed.is_empty(), "in no digest: {unnamed:?}");
    digests.len()
}

fn verify(digest: &Value, content: &[u8], metadata: &BTreeMap<String, String>, keys: &Value) {
    let text = |member: &str| digest[member].as_str().unwrap();
    let signed = format!(
        "{}\n{}/{}\n{}\n{}",
        text("digestEndTime"),
        text("digestS3Bucket"),
        text("digestS3Object"),
        hex(&Sha256::digest(content)),
        digest["previousDigestSignature"].as_str().unwrap_or("null")
    );
    let key = keys["PublicKeyList"].as_array().unwrap().iter();
    let key = key.clone().find(|key| key["Fingerprint"] == digest["digestPublicKeyFingerprint"]);
    let key = key.unwrap_or_else(|| panic!("no public key for {}", text("digestS3Object")));
    let der =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key["Value"].as_str().unwrap());
    let der = der.unwrap();
    assert_eq!(key["Fingerprint"], hex(&Md5::digest(&der)));
    let public = RsaPublicKey::from_pkcs1_der(&der).unwrap();
    let signature: Vec<u8> = metadata["signature"]
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(metadata["signature-algorithm"], "SHA256withRSA");
    public
        .verify(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), &Sha256::digest(signed.as_bytes()), &signature)
        .unwrap_or_else(|e| panic!("{e}: the signature of {}", text("digestS3Object")));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
