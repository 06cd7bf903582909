//! A minisign signature file of the prehashed kind: Ed25519 over the file's BLAKE2b-512, and a second signature over the first
//! one and the trusted comment. Format: https://jedisct1.github.io/minisign/#signature-format

const std = @import("std");
const base64 = @import("base64.zig");
const lines = @import("lines.zig");
const PublicKey = @import("key.zig").PublicKey;
const Ed25519 = std.crypto.sign.Ed25519;
const Blake2b512 = std.crypto.hash.blake2.Blake2b512;

pub const digest_length = Blake2b512.digest_length;

pub const ParseError = error{ NotASignature, NotPrehashed };
pub const VerifyError = error{ OtherKey, WrongSignature, WrongTrustedComment };

pub const Signature = struct {
    key_id: [8]u8,
    bytes: [64]u8,
    /// Points into the text that was parsed. Any bytes but a line feed: not fit to be printed as they are.
    trusted_comment: []const u8,
    global: [64]u8,

    /// Bytes. Minisign writes at most about 9 KiB.
    pub const max_file_size = 16 * 1024;

    /// Four lines, each with its end: a file whose last line feed is missing was cut off.
    pub fn parse(text: []const u8) ParseError!Signature {
        @setRuntimeSafety(true);
        var it: lines.Iterator = .init(text);
        const untrusted_line = it.next() orelse return error.NotASignature;
        const signature_line = it.next() orelse return error.NotASignature;
        const trusted_line = it.next() orelse return error.NotASignature;
        const global_line = it.next() orelse return error.NotASignature;
        if (!it.atEnd()) return error.NotASignature;

        if (!std.mem.startsWith(u8, untrusted_line, "untrusted comment: ")) return error.NotASignature;
        const trusted_prefix = "trusted comment: ";
        if (!std.mem.startsWith(u8, trusted_line, trusted_prefix)) return error.NotASignature;
        const blob = base64.decodeExact(74, signature_line) catch return error.NotASignature;
        const global = base64.decodeExact(64, global_line) catch return error.NotASignature;
        if (std.mem.eql(u8, blob[0..2], "Ed")) return error.NotPrehashed;
        if (!std.mem.eql(u8, blob[0..2], "ED")) return error.NotASignature;
        return .{
            .key_id = blob[2..10].*,
            .bytes = blob[10..74].*,
            .trusted_comment = trusted_line[trusted_prefix.len..],
            .global = global,
        };
    }

    /// `digest` is the BLAKE2b-512 of the signed file. Only after this returned may the trusted comment be believed.
    pub fn verify(self: *const Signature, key: PublicKey, digest: *const [digest_length]u8) VerifyError!void {
        if (!std.mem.eql(u8, &self.key_id, &key.id)) return error.OtherKey;
        Ed25519.Signature.fromBytes(self.bytes).verifyStrict(digest, key.ed25519) catch return error.WrongSignature;

        var verifier = Ed25519.Signature.fromBytes(self.global).verifier(key.ed25519) catch
            return error.WrongTrustedComment;
        verifier.update(&self.bytes);
        verifier.update(self.trusted_comment);
        verifier.verifyStrict() catch return error.WrongTrustedComment;
    }
};

pub fn digestOf(content: []const u8) [digest_length]u8 {
    var digest: [digest_length]u8 = undefined;
    Blake2b512.hash(content, &digest, .{});
    return digest;
}

/// For people.
pub fn explain(err: (ParseError || VerifyError)) []const u8 {
    return switch (err) {
        error.NotASignature => "not a complete minisign signature",
        error.NotPrehashed => "a minisign signature of the old kind, without prehashing",
        error.OtherKey => "signed with another key",
        error.WrongSignature => "the signature does not fit the file",
        error.WrongTrustedComment => "the trusted comment was altered",
    };
}

const sample = @import("sample.zig");

fn verifySample(text: []const u8, content: []const u8) !void {
    const key = try PublicKey.fromText(sample.key);
    const parsed = try Signature.parse(text);
    try parsed.verify(key, &digestOf(content));
}

test "what minisign signed verifies" {
    try verifySample(sample.signature, sample.content);
    try std.testing.expectEqualStrings(sample.trusted_comment, (try Signature.parse(sample.signature)).trusted_comment);
}

test "no truncation verifies" {
    for (0..sample.signature.len) |length| {
        try std.testing.expectError(error.NotASignature, Signature.parse(sample.signature[0..length]));
    }
}

test "no flipped bit verifies, but for those of the untrusted comment" {
    var text = sample.signature.*;
    const signed = std.mem.indexOfScalar(u8, &text, '\n').?;
    for (signed..text.len) |at| for (0..8) |bit| {
        text[at] ^= @as(u8, 1) << @intCast(bit);
        defer text[at] ^= @as(u8, 1) << @intCast(bit);
        if (verifySample(&text, sample.content)) |_| return error.Verified else |_| {}
    };
    try verifySample(&text, sample.content);
}

test "other content, other key, other kind" {
    try std.testing.expectError(error.WrongSignature, verifySample(sample.signature, sample.content ++ "x"));
    try std.testing.expectError(error.WrongSignature, verifySample(sample.signature, ""));
    const parsed = try Signature.parse(sample.signature);
    const other = try PublicKey.fromText(sample.other_key);
    try std.testing.expectError(error.OtherKey, parsed.verify(other, &digestOf(sample.content)));
    try std.testing.expectError(error.NotPrehashed, Signature.parse(sample.legacy_signature));
    try std.testing.expectError(error.NotASignature, Signature.parse(sample.signature ++ "\n"));
}
