//! A file that the real minisign signed, for unit tests.

pub const content = "abc  def\n";

pub const key_file =
    \\untrusted comment: minisign public key E8FA32F9E59B05FD
    \\RWT9BZvl+TL66JyRMB5CenhQG3JVEwhxz81DNzrF3bRaQZNJVk4SFydP
    \\
;
pub const key = "RWT9BZvl+TL66JyRMB5CenhQG3JVEwhxz81DNzrF3bRaQZNJVk4SFydP";
pub const key_id = "E8FA32F9E59B05FD";
pub const other_key = "RWRlrSp2oZpNPrE0d54bMGREeGHZ0kAvQcJoh3Fx0i7kPMBSPjUv2Kf6";

pub const trusted_comment = "pitlane verifier v1.0.0 file:_releases/v1.0.0/SHA256SUMS";
pub const signature =
    \\untrusted comment: signature of a fixture
    \\RUT9BZvl+TL66KEQKiUaFlSUhVNHDndseD0eMGEH7bzs0RvZrP9V2ktXG5Z0TlMXQill8WtdA0q+tr3JSgFTh7dYVdH5l2yb6gQ=
    \\trusted comment: pitlane verifier v1.0.0 file:_releases/v1.0.0/SHA256SUMS
    \\zrv3m5loP/pePAzHG5R7va+/e3FuttMa3LgN+J9HGpqabXTN4hyug8p5yNZ7w8BoyFA7k14zwrCs5SpgqWRDBA==
    \\
;
/// Of the same content by the same key, without prehashing.
pub const legacy_signature =
    \\untrusted comment: signature from minisign secret key
    \\RWT9BZvl+TL66C27ZzesD3RtuydjVgF4vN1DLx4aZ4akRQUmAiBe+bBWNuJqERKPc7axOVC3qzJkrqXB9uXXXV1dhCURbPHXogQ=
    \\trusted comment: pitlane verifier v1.0.0 file:_releases/v1.0.0/SHA256SUMS
    \\zU12WcOrg69jOhO7SRlLPQPBJk2gFj4A/w9UY24wnnlxdQSC/1VndD5P7YyV8JKItURN5mqndBzPexuvFHyiDw==
    \\
;
