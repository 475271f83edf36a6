//! One peer's connections leave some for the others.

use crate::support::upstream::Upstream;
use crate::support::{TestServer, record};
use contrail::clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

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

/// Without a time limit, such a caller keeps a connection and an export for ever.
#[tokio::test]
async fn a_caller_that_takes_nothing_of_an_answer_loses_its_connection() {
    let upstream = Upstream::start().await;
    for more in [vec![], vec![("recorder.upstream", upstream.url.as_str())]] {
        let settings = [vec![("server.write_timeout", "300ms")], more].concat();
        let server = TestServer::with(&settings).await;
        let long: Vec<_> = (0..200)
            .map(|id| {
                let mut record = record(id, "2026-11-22T05:00:01Z", "A");
                record["requestParameters"] = serde_json::json!({"text": "x".repeat(100_000)});
                record
            })
            .collect();
        server.import(&long).await;
        let socket = TcpSocket::new_v4().unwrap();
        // Else the kernel's buffers may take all of it.
        socket.set_recv_buffer_size(65_536).unwrap();
        let address = server.url.trim_start_matches("http://").parse().unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = b"GET /_contrail/events HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        // The answer has begun; 20 MB are more than the buffers on the way take.
        stream.readable().await.unwrap();
        let clock = Clock::system();
        while server.parts.metrics.connections.get() > 0 {
            assert!(clock.elapsed().as_secs() < 20, "it is still there");
            tokio::task::yield_now().await;
        }
        let mut all = Vec::new();
        // A reset or an early end, after what was on the way.
        let _ = stream.read_to_end(&mut all).await;
        assert!(all.len() < 20_000_000, "{} bytes", all.len());
    }
}
