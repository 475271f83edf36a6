//! One peer's connections leave some for the others.

use crate::support::TestServer;
use crate::support::upstream::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// The status of the answer to a request for health; the connection stays open.
async fn status(stream: &mut TcpStream) -> String {
    let request = b"GET /_contrail/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    // A refused connection may be closed before all of this is sent.
    let _ = stream.write_all(request).await;
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).get(9..12).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_peer_gets_as_many_connections_as_the_settings_say() {
    let upstream = Upstream::start().await;
    for more in [vec![], vec![("recorder.upstream", upstream.url.as_str())]] {
        let server = TestServer::with(&[vec![("limits.connections_per_peer", "3")], more].concat()).await;
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut stream = connect(&server).await;
            assert_eq!(status(&mut stream).await, "200");
            open.push(stream);
        }
        assert_eq!(status(&mut connect(&server).await).await, "503");
        for stream in &mut open {
            assert_eq!(status(stream).await, "200", "those that are open go on");
        }
        open.pop();
        // The server takes note of it in its own time.
        while status(&mut connect(&server).await).await != "200" {
            tokio::task::yield_now().await;
        }
        assert!(server.parts.metrics.connections_refused.get() >= 1);
    }
}
