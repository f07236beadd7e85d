namespace Bascule.Core.Config;

/// <summary>A problem before its place in the file is known.</summary>
internal sealed record Complaint(string What, string Hint);
