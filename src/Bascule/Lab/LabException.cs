namespace Bascule.Lab;

/// <summary>The lab cannot go on; the message is a sentence for whoever started it.</summary>
internal sealed class LabException(string message) : Exception(message);
