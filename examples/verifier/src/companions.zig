//! The small files beside a file: `.minisig` (minisign, prehashed), `.sig` (plain Ed25519 over the file's bytes, raw or base64) and
//! `.sha256` (one line of sha256sum). Others' tools believe them, so they have to be right as well.

const std = @import("std");
const base64 = @import("base64.zig");
const comments = @import("comment.zig");
const files = @import("file.zig");
const key_file = @import("key.zig");
const signatures = @import("signature.zig");
const sums_file = @import("sums.zig");
const context_file = @import("context.zig");
const Context = context_file.Context;
const Error = context_file.Error;
const Ed25519 = std.crypto.sign.Ed25519;
const Signature = signatures.Signature;

const suffixes = [_][]const u8{ ".minisig", ".sig", ".sha256" };

/// The path of the file that this one belongs to, null when its name does not say so.
pub fn baseOf(path: []const u8) ?[]const u8 {
    for (suffixes) |suffix| {
        if (std.mem.endsWith(u8, path, suffix) and path.len > suffix.len) return path[0 .. path.len - suffix.len];
    }
    return null;
}

pub const VerifyError = signatures.ParseError || signatures.VerifyError || error{ NotPitlane, OtherFile };

/// The comment of a signature that verifies and speaks of the file at `path`.
pub fn verifyText(
    key: key_file.PublicKey,
    text: []const u8,
    digest: *const [signatures.digest_length]u8,
    path: []const u8,
) VerifyError!comments.Comment {
    const signature = try Signature.parse(text);
    try signature.verify(key, digest);
    const comment = try comments.Comment.parse(signature.trusted_comment);
    if (!comment.names(path)) return error.OtherFile;
    return comment;
}

/// For people.
pub fn explain(err: VerifyError) []const u8 {
    return switch (err) {
        error.NotPitlane => "the trusted comment is not of the form: pitlane <name> <version> file:<path>",
        error.OtherFile => "signed under the name of another file",
        else => |e| signatures.explain(e),
    };
}

pub fn isSigned(context: *const Context, path: []const u8) bool {
    const name = pathOf(context, path, ".minisig") catch return false;
    return context.has(name);
}

pub const Measured = struct {
    digests: files.Digests = .{},
    /// Why `.sig` could not even be tried.
    plain_problem: ?[]const u8 = null,
};

/// Reads the file once, through every digest that its companions ask for.
pub fn measure(context: *const Context, path: []const u8) !Measured {
    var measured: Measured = .{};
    if (isSigned(context, path)) measured.digests.blake2b = .init(.{});
    const plain = try pathOf(context, path, ".sig");
    if (context.has(plain)) {
        measured.digests.plain = readPlain(context, plain) catch |err| plain: {
            if (err == error.OutOfMemory) return error.OutOfMemory;
            measured.plain_problem = "cannot be read as an Ed25519 signature";
            break :plain null;
        };
    }
    try measured.digests.updateFromFile(context.io, context.dir, path);
    return measured;
}

fn readPlain(context: *const Context, path: []const u8) !Ed25519.Verifier {
    @setRuntimeSafety(true);
    const text = try files.readSmall(context.arena, context.io, context.dir, path, 128);
    const bytes = if (text.len == Ed25519.Signature.encoded_length)
        text[0..Ed25519.Signature.encoded_length].*
    else
        try base64.decodeExact(Ed25519.Signature.encoded_length, std.mem.trimEnd(u8, text, "\n"));
    return Ed25519.Signature.fromBytes(bytes).verifier(context.key.ed25519);
}

/// `signature_known`: the `.minisig` was checked before.
pub fn checkAll(
    context: *const Context,
    path: []const u8,
    release: comments.Release,
    measured: *Measured,
    signature_known: bool,
) Error!void {
    const report = context.report;
    if (measured.digests.blake2b) |*hash| if (!signature_known) {
        var digest: [signatures.digest_length]u8 = undefined;
        hash.final(&digest);
        const name = try pathOf(context, path, ".minisig");
        try checkSignature(context, name, path, release, &digest);
    };

    const plain = try pathOf(context, path, ".sig");
    if (measured.plain_problem) |problem| {
        try report.bad(plain, "{s}", .{problem});
    } else if (measured.digests.plain) |*verifier| {
        if (verifier.verifyStrict()) |_| {
            try report.ok(plain, "signature", .{});
        } else |_| {
            try report.bad(plain, "{s}", .{signatures.explain(error.WrongSignature)});
        }
    }

    const sum = try pathOf(context, path, ".sha256");
    if (context.has(sum)) try checkSum(context, sum, path, measured.digests.sha256.peek());
}

fn checkSignature(
    context: *const Context,
    name: []const u8,
    path: []const u8,
    release: comments.Release,
    digest: *const [signatures.digest_length]u8,
) Error!void {
    const report = context.report;
    const text = files.readSmall(context.arena, context.io, context.dir, name, Signature.max_file_size) catch |err| {
        if (err == error.OutOfMemory) return error.OutOfMemory;
        return report.bad(name, "cannot be read: {t}", .{err});
    };
    const comment = verifyText(context.key, text, digest, path) catch |err| return report.bad(name, "{s}", .{explain(err)});
    if (!comment.release.eql(release)) {
        return report.bad(name, "signed for {s} {s}", .{ comment.release.name, comment.release.version });
    }
    try report.ok(name, "signature", .{});
}

fn checkSum(context: *const Context, name: []const u8, path: []const u8, sha256: [32]u8) Error!void {
    const report = context.report;
    const text = files.readSmall(context.arena, context.io, context.dir, name, 4096) catch |err| {
        if (err == error.OutOfMemory) return error.OutOfMemory;
        return report.bad(name, "cannot be read: {t}", .{err});
    };
    const sums = switch (try sums_file.Sums.parse(context.arena, text)) {
        .sums => |sums| sums,
        .refused => |refused| return report.bad(name, "{s}", .{sums_file.explain(refused.problem)}),
    };
    const entry = sums.find(std.fs.path.basenamePosix(path)) orelse sums.find(path) orelse
        return report.bad(name, "does not name the file beside it", .{});
    if (sums.entries.len != 1) return report.bad(name, "names more than one file", .{});
    if (!std.mem.eql(u8, &entry.sha256, &sha256)) return report.bad(name, "is not the digest of the file beside it", .{});
    try report.ok(name, "digest", .{});
}

fn pathOf(context: *const Context, path: []const u8, suffix: []const u8) error{OutOfMemory}![]const u8 {
    return std.mem.concat(context.arena, u8, &.{ path, suffix });
}

const sample = @import("sample.zig");

test "names of companions" {
    try std.testing.expectEqualStrings("a/b", baseOf("a/b.minisig").?);
    try std.testing.expectEqualStrings("a.sig", baseOf("a.sig.sha256").?);
    try std.testing.expect(baseOf("a/b") == null);
    try std.testing.expect(baseOf(".sig") == null);
}

test "a good signature under another name is refused" {
    const key = try key_file.PublicKey.fromText(sample.key);
    const digest = signatures.digestOf(sample.content);
    const comment = try verifyText(key, sample.signature, &digest, "SHA256SUMS");
    try std.testing.expectEqualStrings("v1.0.0", comment.release.version);
    try std.testing.expectError(error.OtherFile, verifyText(key, sample.signature, &digest, "release.json"));
}
