//! The check of a release's folder. The signed `SHA256SUMS` is where trust comes from: each file has to be listed there, or to be
//! signed by itself for the same release; `<file>.minisig`, `<file>.sig` and `<file>.sha256` have to fit the file beside them.

const std = @import("std");
const Io = std.Io;
const comments = @import("comment.zig");
const companions = @import("companions.zig");
const context_file = @import("context.zig");
const files = @import("file.zig");
const folder = @import("folder.zig");
const key_file = @import("key.zig");
const signatures = @import("signature.zig");
const sums_file = @import("sums.zig");
const Context = context_file.Context;
const Error = context_file.Error;
const Report = @import("report.zig").Report;
const Signature = signatures.Signature;
const Sums = sums_file.Sums;

pub const sums_name = "SHA256SUMS";
const signature_name = sums_name ++ ".minisig";

/// `dir` has to be iterable. Returns whether everything is right; the report says what is not.
pub fn check(
    arena: std.mem.Allocator,
    io: Io,
    dir: Io.Dir,
    key: key_file.PublicKey,
    expected: ?comments.Release,
    report: *Report,
) Error!bool {
    const items = folder.list(arena, io, dir) catch |err| {
        if (err == error.OutOfMemory) return error.OutOfMemory;
        try report.bad(".", "cannot be listed: {t}", .{err});
        return false;
    };
    const context: Context = .{ .arena = arena, .io = io, .dir = dir, .key = key, .items = items, .report = report };
    const signed = try readSigned(&context, expected) orelse return false;
    var id: [16]u8 = undefined;
    try report.ok(sums_name, "signed with {s}: {s} {s}", .{
        key_file.idText(&id, key.id),
        signed.release.name,
        signed.release.version,
    });

    for (signed.sums.entries) |entry| {
        if (!context.has(entry.path)) {
            const found = folder.find(items, entry.path) != null;
            try report.bad(entry.path, "{s}", .{if (found) "is not a regular file" else "is missing"});
        }
    }
    for (items) |item| try checkItem(&context, &signed, item);
    return report.wrong == 0;
}

const Signed = struct { sums: Sums, release: comments.Release };

/// Null when `SHA256SUMS` cannot be trusted: then nothing else is looked at.
fn readSigned(context: *const Context, expected: ?comments.Release) Error!?Signed {
    const report = context.report;
    const text = try readText(context, sums_name, Sums.max_file_size) orelse return null;
    const signature_text = try readText(context, signature_name, Signature.max_file_size) orelse return null;
    const comment = companions.verifyText(context.key, signature_text, &signatures.digestOf(text), sums_name) catch |err| {
        try report.bad(signature_name, "{s}", .{companions.explain(err)});
        return null;
    };
    if (expected) |release| if (!release.eql(comment.release)) {
        try report.bad(signature_name, "signed for {s} {s}, not for {s} {s}", .{
            comment.release.name, comment.release.version, release.name, release.version,
        });
        return null;
    };
    switch (try Sums.parse(context.arena, text)) {
        .sums => |sums| return .{ .sums = sums, .release = comment.release },
        .refused => |refused| {
            try report.bad(sums_name, "line {d}: {s}", .{ refused.line, sums_file.explain(refused.problem) });
            return null;
        },
    }
}

fn readText(context: *const Context, path: []const u8, limit: usize) Error!?[]const u8 {
    const item = folder.find(context.items, path) orelse {
        try context.report.bad(path, "is missing", .{});
        return null;
    };
    if (item.kind != .file) {
        try context.report.bad(path, "is not a regular file", .{});
        return null;
    }
    return files.readSmall(context.arena, context.io, context.dir, path, limit) catch |err| {
        if (err == error.OutOfMemory) return error.OutOfMemory;
        try context.report.bad(path, "cannot be read: {t}", .{err});
        return null;
    };
}

fn checkItem(context: *const Context, signed: *const Signed, item: folder.Item) Error!void {
    const report = context.report;
    const path = item.path;
    const listed = signed.sums.find(path);
    if (item.kind != .file) {
        if (listed == null) try report.bad(path, "is not a regular file", .{});
        return;
    }
    if (!standsAlone(context, signed, path)) {
        // What belongs to another file of this folder is looked at with that one.
        if (companions.baseOf(path)) |base| if (standsAlone(context, signed, base)) return;
        return report.bad(path, "is not listed in SHA256SUMS", .{});
    }

    var measured = companions.measure(context, path) catch |err| {
        if (err == error.OutOfMemory) return error.OutOfMemory;
        return report.bad(path, "cannot be read: {t}", .{err});
    };
    const is_sums = std.mem.eql(u8, path, sums_name);
    const sha256 = measured.digests.sha256.peek();
    if (listed) |entry| {
        if (std.mem.eql(u8, &entry.sha256, &sha256)) {
            try report.ok(path, "sha256 {x}", .{&sha256});
        } else {
            try report.bad(path, "was altered: sha256 {x}, signed was {x}", .{ &sha256, &entry.sha256 });
        }
    } else if (!is_sums) {
        try report.ok(path, "sha256 {x}, signed by itself", .{&sha256});
    }
    try companions.checkAll(context, path, signed.release, &measured, is_sums);
}

/// Whether trust in the file comes from `SHA256SUMS` or from its own signature, not from being the companion of another file.
fn standsAlone(context: *const Context, signed: *const Signed, path: []const u8) bool {
    if (!context.has(path)) return false;
    if (std.mem.eql(u8, path, sums_name) or signed.sums.find(path) != null) return true;
    if (!companions.isSigned(context, path)) return false;
    const base = companions.baseOf(path) orelse return true;
    return !standsAlone(context, signed, base);
}
