//! TLS as libpq does it: most modes verify nothing, so everything is accepted and the verdict kept for the two that do.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::{Failure, SslMode, Stage, Target};
use crate::host::deadline::Deadline;

/// What is asked of the server's TLS.
pub(super) struct Asked {
    host: String,
    mode: SslMode,
    roots: Option<Vec<u8>>,
}

impl Asked {
    pub(super) fn new(host: &str, target: &Target) -> Self {
        // libpq: `require` verifies as `verify-ca` does where there is a root certificate.
        let mode = match target.sslmode {
            SslMode::Require if target.root_certificates.is_some() => SslMode::VerifyCa,
            mode => mode,
        };
        Self { host: host.to_owned(), mode, roots: target.root_certificates.clone() }
    }
}

/// `SSLRequest`: its length, and the code in place of a protocol version (PostgreSQL: protocol-message-formats).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Asks for TLS and shakes hands; gives the settings with which the login may use the same server.
pub(super) fn handshake(
    mut stream: TcpStream,
    asked: &Asked,
    deadline: Deadline,
) -> Result<Arc<ClientConfig>, Failure> {
    let fail = |class, said: &str| Failure::new(Stage::Tls, class, said);
    let broken = |error: std::io::Error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            fail("peer.silent", "it accepted the connection and said nothing")
        }
        _ => fail("peer.closed", "the server closed the connection"),
    };
    stream.set_read_timeout(deadline.left()).map_err(broken)?;
    stream.set_write_timeout(deadline.left()).map_err(broken)?;
    stream.write_all(&SSL_REQUEST).map_err(broken)?;
    let mut answer = [0];
    stream.read_exact(&mut answer).map_err(broken)?;
    match answer[0] {
        b'S' => {}
        b'N' => return Err(fail("tls.not_offered", "the server does not support TLS")),
        b'E' => return Err(fail("server.error", "the server answered the request for TLS with an error")),
        _ => return Err(fail("not_postgres", "what answers there does not speak PostgreSQL's protocol")),
    }
    // rustls refuses some old ciphers and certificates that OpenSSL takes, so its refusal proves nothing.
    let unlike_libpq = |error: Error| fail("tls.handshake", &error.to_string()).unproved();
    let verifier = Arc::new(Recording::new(asked).map_err(unlike_libpq)?);
    let config = Arc::new(verifier.config().map_err(unlike_libpq)?);
    let name = ServerName::try_from(asked.host.clone())
        .map_err(|_| fail("tls.handshake", "the host's name is not one TLS can ask for").unproved())?;
    let mut connection = ClientConnection::new(Arc::clone(&config), name).map_err(unlike_libpq)?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            return Err(match error.kind() {
                ErrorKind::InvalidData => fail("tls.handshake", &error.to_string()).unproved(),
                _ => broken(error),
            });
        }
    }
    connection.send_close_notify();
    // Politeness only; the connection is dropped in any case.
    let _ = connection.complete_io(&mut stream);
    verifier.verdict(asked.mode)?;
    Ok(config)
}

/// Accepts every certificate and remembers what a verifying client would have said.
#[derive(Debug)]
struct Recording {
    provider: Arc<CryptoProvider>,
    verifying: Option<Arc<WebPkiServerVerifier>>,
    must_verify: bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    certificate: Option<CertificateDer<'static>>,
    verdict: Option<Error>,
}

/// Settings of a client that accepts every certificate: for looking at what answers, not for trusting it.
///
/// # Errors
/// None, as long as ring offers the protocols that rustls knows.
pub(in crate::host) fn unverified(host: &str) -> Result<Arc<ClientConfig>, Error> {
    let asked = Asked { host: host.to_owned(), mode: SslMode::Require, roots: None };
    Ok(Arc::new(Arc::new(Recording::new(&asked)?).config()?))
}

impl Recording {
    fn new(asked: &Asked) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        let pem = asked.roots.as_deref().unwrap_or_default();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
        let verifying = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            Some(builder.build().map_err(|error| Error::General(error.to_string()))?)
        };
        Ok(Self { provider, verifying, must_verify: asked.mode.verifies(), seen: Arc::default() })
    }

    /// Client settings that use this verifier for the handshake and for the login after it.
    fn config(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions()?;
        let verifier = Arc::clone(self) as Arc<dyn ServerCertVerifier>;
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }

    /// Whether libpq in this mode would go on; only what OpenSSL refuses as well is a fault.
    fn verdict(&self, mode: SslMode) -> Result<(), Failure> {
        if !mode.verifies() {
            return Ok(());
        }
        let refuse = |class, said: &str| Err(Failure::new(Stage::Tls, class, said));
        let unsure = |said: &str| Err(Failure::new(Stage::Tls, "tls.not_verified", said).unproved());
        if self.verifying.is_none() {
            return unsure("the trusted root certificate is out of sight, so no password is sent");
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &seen.verdict {
            None => Ok(()),
            Some(Error::InvalidCertificate(problem)) => match problem {
                CertificateError::UnknownIssuer => {
                    refuse("tls.verify.issuer", "the certificate's issuer is not trusted")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    refuse("tls.verify.time", "the certificate has expired")
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    refuse("tls.verify.time", "the certificate is not valid yet by this host's clock")
                }
                CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName
                    if mode == SslMode::VerifyCa =>
                {
                    Ok(())
                }
                // libpq falls back to the common name where a certificate has no alternative names; rustls does not.
                CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
                    refuse("tls.verify.name", "the certificate is for another host name")
                }
                _ => unsure("whether libpq trusts this kind of certificate cannot be told, so no password is sent"),
            },
            Some(_) => unsure("the certificate cannot be read, so no password is sent"),
        }
    }
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = &seen.certificate {
            // The password goes only to the server that was judged.
            let same = first.as_ref() == end_entity.as_ref() || !self.must_verify;
            return if same {
                Ok(ServerCertVerified::assertion())
            } else {
                Err(Error::General("the certificate changed".into()))
            };
        }
        seen.certificate = Some(end_entity.clone().into_owned());
        seen.verdict = self.verifying.as_ref().and_then(|verifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).err()
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.must_verify {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.must_verify {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
